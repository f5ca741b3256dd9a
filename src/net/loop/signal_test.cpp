#include "net/loop/signal.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "tests/support/stream_pair.hpp"

namespace akr::net {
namespace {

class SignalOnStream : public test::StreamPair {};

TEST_F(SignalOnStream, WakesFromAnotherThread) {
  run([&](Stream& stream) -> Task<void> {
    const auto signal = std::make_shared<Signal>(stream.worker());
    std::thread other([signal] { signal->raise(); });
    const SignalEnd end = co_await signal->wait(stream.socket());
    EXPECT_EQ(end, SignalEnd::kRaised);
    other.join();
    const SignalEnd again = co_await signal->wait(stream.socket());  // it stays raised
    EXPECT_EQ(again, SignalEnd::kRaised);
  });
}

TEST_F(SignalOnStream, EndsWhenTheClientLeaves) {
  run([&](Stream& stream) -> Task<void> {
    const auto signal = std::make_shared<Signal>(stream.worker());
    ::shutdown(ends_[1], SHUT_WR);
    const SignalEnd end = co_await signal->wait(stream.socket());
    EXPECT_EQ(end, SignalEnd::kClientGone);
    signal->raise();  // too late, and harmless
  });
}

}  // namespace
}  // namespace akr::net
