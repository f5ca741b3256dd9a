// A second gateway on the same data started silently, and each overwrote what the other did not know of.  The kind:
// state that is believed to be one's own, without asking.
#include "app/instance_lock.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temp_dir.hpp"

namespace akr {
namespace {

using testing::HasSubstr;

class InstanceLockTest : public testing::Test {
 protected:
  Result<InstanceLock> take() const { return InstanceLock::take(file(), "DATA_DIR", directory_.path()); }
  std::filesystem::path file() const { return data_directory_lock(directory_.path()); }
  TempDir directory_;
};

TEST_F(InstanceLockTest, TheSecondIsToldWhoHasItAndWhatToDo) {
  const auto first = take();
  ASSERT_TRUE(first);
  const auto second = take();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr("DATA_DIR " + std::string(directory_.path())));
  EXPECT_THAT(second.error().message, HasSubstr("(process " + std::to_string(::getpid()) + ")"));
  EXPECT_THAT(second.error().message, HasSubstr("stop that one first"));
}

TEST_F(InstanceLockTest, IsFreeAgainAfterItsOwnerEnded) {
  { ASSERT_TRUE(take()); }
  EXPECT_TRUE(take());
}

TEST_F(InstanceLockTest, IsFreeAgainAfterItsOwnerWasKilled) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = take();
    const char answer = held ? 'y' : 'n';
    [[maybe_unused]] const ssize_t told = ::write(ready[1], &answer, 1);
    ::pause();
    ::_exit(0);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_FALSE(take());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(take());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(InstanceLockTest, IsTheOwnersAlone) {
  const auto held = take();
  struct stat facts = {};
  ASSERT_EQ(::stat(file().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

TEST_F(InstanceLockTest, ADatabaseHasOneLockUnderAllItsNames) {
  const auto real = std::filesystem::canonical(directory_.path()) / "a.db";
  std::filesystem::create_directory(directory_.path() / "sub");
  EXPECT_EQ(database_lock(directory_.path() / "sub" / ".." / "a.db"), real.string() + ".lock");
  std::filesystem::create_symlink(directory_.path() / "a.db", directory_.path() / "link.db");
  std::ofstream(directory_.path() / "a.db").flush();
  EXPECT_EQ(database_lock(directory_.path() / "link.db"), real.string() + ".lock");
}

TEST_F(InstanceLockTest, ADirectoryThatIsNotThereIsNamed) {
  const auto missing = InstanceLock::take(directory_.path() / "none" / "gateway.lock", "DATA_DIR", "none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kStoreUnavailable);
}

}  // namespace
}  // namespace akr
