// SIGTERM did not end the process while the reader of a log stood still, and the second one neither: the threads that
// write the logs were joined while they waited in write(2).  Stands for ends that wait for somebody else.
#include "base/log_writer.hpp"

#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace akr {
namespace {

using namespace std::chrono_literals;

// A pipe that nobody reads and that takes nothing any more.
class FullPipe {
 public:
  FullPipe() {
    EXPECT_EQ(::pipe2(ends_, O_CLOEXEC | O_NONBLOCK), 0);
    while (::write(ends_[1], filler_.data(), filler_.size()) > 0) {
    }
    while (::write(ends_[1], "x", 1) > 0) {
    }
    EXPECT_EQ(::fcntl(ends_[1], F_SETFL, 0), 0);  // blocking from now on
  }
  ~FullPipe() {
    drain();  // ends the thread that was left behind
    ::close(ends_[0]);
    std::this_thread::sleep_for(20ms);
    ::close(ends_[1]);
  }
  int fd() const { return ends_[1]; }
  std::size_t drain() {
    char bytes[65536];
    std::size_t all = 0;
    for (ssize_t got = 0; (got = ::read(ends_[0], bytes, sizeof bytes)) > 0;) all += static_cast<std::size_t>(got);
    return all;
  }

 private:
  const std::string filler_ = std::string(4096, 'x');
  int ends_[2] = {-1, -1};
};

class LogWriterTest : public testing::Test {
 protected:
  LogWriterTest() { std::signal(SIGPIPE, SIG_IGN); }  // as the gateway does
  ~LogWriterTest() override { end_logs_when(nullptr); }
  static std::chrono::nanoseconds took(const std::function<void()>& work) {
    const TimePoint began = std::chrono::steady_clock::now();
    work();
    return std::chrono::steady_clock::now() - began;
  }
};

TEST_F(LogWriterTest, AStandingReaderHoldsUpNeitherLinesNorTheEnd) {
  FullPipe pipe;
  end_logs_when([] { return true; });
  LogWriter writer(pipe.fd(), 4);
  for (int i = 0; i < 100; ++i) writer.submit("a line\nand another\n");
  EXPECT_LT(took([&] { writer.end(); }), 1s);
  EXPECT_EQ(writer.dropped_lines(), 200U);
  writer.submit("too late\n");
  EXPECT_EQ(writer.dropped_lines(), 201U);
}

TEST_F(LogWriterTest, WithoutAnyDeadlineTheEndComesAllTheSame) {
  FullPipe pipe;
  LogWriter writer(pipe.fd(), 4);
  writer.submit("a line\n");
  EXPECT_LT(took([&] { writer.end(); }), 5s);
  EXPECT_EQ(writer.dropped_lines(), 1U);
}

TEST_F(LogWriterTest, AReaderThatComesBackInTimeGetsAll) {
  FullPipe pipe;
  end_logs_when([] { return false; });
  LogWriter writer(pipe.fd(), 1000);
  for (int i = 0; i < 1000; ++i) writer.submit(std::string(999, 'l') + "\n");
  std::size_t read = 0;
  std::thread reader([&] {
    std::this_thread::sleep_for(50ms);
    const TimePoint end = std::chrono::steady_clock::now() + 10s;
    while (read < 1'000'000 + 65'536 && std::chrono::steady_clock::now() < end) read += pipe.drain();
  });
  writer.end();
  EXPECT_EQ(writer.dropped_lines(), 0U);
  reader.join();
  EXPECT_EQ(read, 1'000'000U + 65'536U);
}

TEST_F(LogWriterTest, ADescriptorThatSomebodyMadeNonBlockingLosesNothing) {
  FullPipe pipe;
  ASSERT_EQ(::fcntl(pipe.fd(), F_SETFL, O_NONBLOCK), 0);
  end_logs_when([] { return false; });
  LogWriter writer(pipe.fd(), 10);
  writer.submit("late\n");
  std::this_thread::sleep_for(20ms);
  pipe.drain();
  writer.end();
  EXPECT_EQ(writer.dropped_lines(), 0U);
  EXPECT_EQ(pipe.drain(), 5U);
}

TEST_F(LogWriterTest, SingleLinesWaitForNobody) {
  FullPipe pipe;
  EXPECT_LT(took([&] { EXPECT_FALSE(write_patiently(pipe.fd(), "x\n", 20ms)); }), 1s);
  pipe.drain();
  EXPECT_TRUE(write_patiently(pipe.fd(), std::string(20'000, 'y'), 0ms));
  EXPECT_EQ(pipe.drain(), 20'000U);
}

}  // namespace
}  // namespace akr
