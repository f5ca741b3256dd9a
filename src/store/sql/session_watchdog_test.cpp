#include "store/sql/session_watchdog.hpp"

#include <filesystem>
#include <optional>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace akr {
namespace {

class Pair {
 public:
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0); }
  ~Pair() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int ours() const { return ends_[0]; }
  // Returns once there is something to read, or nothing will ever be.
  std::string wait() const {
    char byte = 0;
    return {&byte, static_cast<std::size_t>(std::max<ssize_t>(0, ::recv(ends_[0], &byte, 1, 0)))};
  }
  void answer() const { EXPECT_EQ(::send(ends_[1], "x", 1, 0), 1); }

 private:
  int ends_[2] = {-1, -1};
};

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

TEST(SessionWatchdog, EndsAWaitWhenItsTimeIsUp) {
  SessionWatchdog dog;
  Pair late, later;
  const SessionWatchdog::Watch longer(dog, later.ours(), in(std::chrono::hours(1)));
  const SessionWatchdog::Watch watch(dog, late.ours(), in(std::chrono::milliseconds(20)));
  EXPECT_EQ(late.wait(), "");  // would wait for ever
  later.answer();
  EXPECT_EQ(later.wait(), "x");
}

TEST(SessionWatchdog, LeavesASessionAloneThatWasGivenBack) {
  SessionWatchdog dog;
  Pair pair, other;
  std::optional<SessionWatchdog::Watch> watch;
  watch.emplace(dog, pair.ours(), in(std::chrono::milliseconds(20)));
  watch.reset();
  const SessionWatchdog::Watch next(dog, other.ours(), in(std::chrono::milliseconds(40)));
  EXPECT_EQ(other.wait(), "");  // the first one's time is long up
  pair.answer();
  EXPECT_EQ(pair.wait(), "x");
}

std::ptrdiff_t threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

// SQLite's sessions have no socket; a thread for each database would be one too many.
TEST(SessionWatchdog, HasNothingToDoForAFile) {
  SessionWatchdog dog;
  const std::ptrdiff_t before = threads();
  {
    const SessionWatchdog::Watch watch(dog, -1, in(std::chrono::milliseconds(0)));
    EXPECT_EQ(threads(), before);
  }
  Pair pair;
  const SessionWatchdog::Watch watch(dog, pair.ours(), in(std::chrono::milliseconds(20)));
  EXPECT_EQ(threads(), before + 1);
  EXPECT_EQ(pair.wait(), "");
}

}  // namespace
}  // namespace akr
