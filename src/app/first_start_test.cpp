#include "app/first_start.hpp"

#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strings.hpp"

namespace akr {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class FirstStartTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/akr-first-start-XXXXXX";
    root_ = mkdtemp(pattern);
    input_ = {.data_directory = root_ / "a" / "data", .database_directory = root_ / "db"};
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  static unsigned mode(const std::filesystem::path& path) {
    struct stat facts = {};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 07777;
  }
  void write(const char* name, std::string_view text) const {
    std::filesystem::create_directories(input_.data_directory);
    std::ofstream(input_.data_directory / name) << text;
    ::chmod((input_.data_directory / name).c_str(), 0600);
  }
  FirstStart start() const {
    auto started = prepare_first_start(input_);
    EXPECT_TRUE(started) << started.error().message;
    return started ? *std::move(started) : FirstStart{};
  }
  static bool verifies(const FirstStart& started, const Secret& password) {
    return crypto_pwhash_str_verify(started.admin_password_hash.c_str(), password.expose().data(), password.size()) ==
           0;
  }

  std::filesystem::path root_;
  FirstStartInput input_;
};

TEST_F(FirstStartTest, MakesDirectoriesAndSecretsForTheOwnerOnly) {
  const FirstStart first = start();
  EXPECT_EQ(mode(input_.data_directory), 0700U);
  EXPECT_EQ(mode(input_.database_directory), 0700U);
  for (const char* name : {"jwt_secret", "encryption_key", "admin_password.hash"}) {
    EXPECT_EQ(mode(input_.data_directory / name), 0600U) << name;
  }
  EXPECT_EQ(first.jwt_secret.size(), 64U);
  EXPECT_EQ(first.encryption_key.size(), 32U);
  EXPECT_GE(first.generated_password.size(), 20U);
  EXPECT_TRUE(verifies(first, first.generated_password));
  EXPECT_THAT(first.warnings, IsEmpty());
  const auto entries = std::filesystem::directory_iterator(input_.data_directory);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 3) << "nothing else is left behind";
}

TEST_F(FirstStartTest, AServersDatabaseNeedsNoDirectory) {
  input_.database_directory.clear();
  start();
  EXPECT_TRUE(std::filesystem::exists(input_.data_directory / "encryption_key"));
  EXPECT_FALSE(std::filesystem::exists(root_ / "db"));
}

// Or the password that goes with it would never be shown.
TEST_F(FirstStartTest, ACommandThatNeedsTheKeyMakesNothingElse) {
  const auto made = prepare_encryption_key(input_);
  ASSERT_TRUE(made);
  EXPECT_FALSE(std::filesystem::exists(input_.data_directory / "admin_password.hash"));
  EXPECT_FALSE(std::filesystem::exists(input_.data_directory / "jwt_secret"));
  EXPECT_EQ(start().encryption_key.expose(), made->encryption_key.expose());
}

TEST_F(FirstStartTest, TheSecondStartFindsTheSameAndShowsNoPassword) {
  const FirstStart first = start();
  const FirstStart second = start();
  EXPECT_EQ(first.jwt_secret.expose(), second.jwt_secret.expose());
  EXPECT_EQ(first.encryption_key.expose(), second.encryption_key.expose());
  EXPECT_EQ(first.admin_password_hash, second.admin_password_hash);
  EXPECT_TRUE(second.generated_password.empty());
}

TEST_F(FirstStartTest, SettingsWinAndLeaveNoFiles) {
  input_.jwt_secret = Secret("a-signing-secret-of-the-operator-0001");
  input_.encryption_key = Secret(std::string(64, 'a'));
  input_.admin_password = Secret("a-good-password");
  const FirstStart started = start();
  EXPECT_EQ(started.jwt_secret.expose(), "a-signing-secret-of-the-operator-0001");
  EXPECT_EQ(started.encryption_key.expose(), std::string(32, '\xaa'));
  EXPECT_EQ(started.admin_password.expose(), "a-good-password");
  EXPECT_EQ(started.admin_password_hash, "");
  EXPECT_TRUE(std::filesystem::is_empty(input_.data_directory));
}

TEST_F(FirstStartTest, TwoMachinesDoNotGetTheSameSecrets) {
  const FirstStart first = start();
  input_.data_directory = root_ / "other";
  const FirstStart other = start();
  EXPECT_NE(first.jwt_secret.expose(), other.jwt_secret.expose());
  EXPECT_NE(first.encryption_key.expose(), other.encryption_key.expose());
  EXPECT_NE(first.generated_password.expose(), other.generated_password.expose());
}

TEST_F(FirstStartTest, StartsAtTheSameTimeAgreeAndOnlyOnePrintsAPassword) {
  std::vector<FirstStart> started(4);
  std::vector<std::thread> threads;
  for (FirstStart& slot : started) {
    threads.emplace_back([this, &slot] { slot = start(); });
  }
  for (std::thread& thread : threads) thread.join();
  int printed = 0;
  for (const FirstStart& one : started) {
    EXPECT_EQ(one.jwt_secret.expose(), started[0].jwt_secret.expose());
    EXPECT_EQ(one.encryption_key.expose(), started[0].encryption_key.expose());
    EXPECT_EQ(one.admin_password_hash, started[0].admin_password_hash);
    if (one.generated_password.empty()) continue;
    ++printed;
    EXPECT_TRUE(verifies(started[0], one.generated_password));
  }
  EXPECT_EQ(printed, 1);
}

TEST_F(FirstStartTest, DamagedFilesStopTheStartWithoutShowingThem) {
  for (const char* name : {"jwt_secret", "encryption_key", "admin_password.hash"}) {
    std::filesystem::remove_all(input_.data_directory);
    write(name, "canary\n");
    const auto started = prepare_first_start(input_);
    ASSERT_FALSE(started) << name;
    EXPECT_EQ(started.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(started.error().message, HasSubstr(name));
    EXPECT_THAT(started.error().message, Not(HasSubstr("canary")));
  }
}

TEST_F(FirstStartTest, AFileThatOthersCanReadIsAWarning) {
  start();
  ::chmod((input_.data_directory / "jwt_secret").c_str(), 0644);
  EXPECT_THAT(start().warnings, Contains(HasSubstr("chmod 600")));
  EXPECT_THAT(start().warnings, testing::IsEmpty());  // it is private now
}

TEST_F(FirstStartTest, AKeyWrittenByHandInBase64IsRead) {
  write("encryption_key", "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=\r\n");
  EXPECT_EQ(start().encryption_key.expose(), std::string(32, '\xfb'));
}

TEST_F(FirstStartTest, AFileInPlaceOfTheDirectoryIsNamed) {
  std::ofstream(root_ / "plain") << "x";
  input_.data_directory = root_ / "plain" / "data";
  const auto started = prepare_first_start(input_);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kStoreUnavailable);
  EXPECT_THAT(started.error().message, HasSubstr("plain"));
  EXPECT_THAT(started.error().message, HasSubstr("DATA_DIR"));
}

// Root may write anywhere, so the refusal is looked at from a child that gave its rights up.
TEST_F(FirstStartTest, AnUnwritableDirectoryNamesPathAndUser) {
  constexpr uid_t kNobody = 65534;
  std::filesystem::create_directories(input_.data_directory);
  ::chmod(root_.c_str(), 0755);
  ::chmod((root_ / "a").c_str(), 0755);
  ::chmod(input_.data_directory.c_str(), 0555);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(kNobody) != 0) ::_exit(2);
    const auto started = prepare_first_start(input_);
    const std::string uid = "user id " + std::to_string(::geteuid());
    const bool expected = !started && started.error().code == ErrorCode::kStoreUnavailable &&
                          started.error().message.find(uid) != std::string::npos &&
                          started.error().message.find("chown " + std::to_string(::geteuid())) != std::string::npos &&
                          started.error().message.find(input_.data_directory.string()) != std::string::npos;
    ::_exit(expected ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  ::chmod(input_.data_directory.c_str(), 0755);
}

}  // namespace
}  // namespace akr
