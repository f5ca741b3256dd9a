#include "store/call_deadline.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace akr {
namespace {

using Time = CallDeadline::Time;
constexpr Time kNoon{std::chrono::hours(12)}, kOne{std::chrono::hours(13)}, kTwo{std::chrono::hours(14)};

TEST(CallDeadline, HoldsForItsThreadWhileItLives) {
  EXPECT_EQ(CallDeadline::of_this_thread(), Time::max());
  {
    const CallDeadline deadline(kOne);
    EXPECT_EQ(CallDeadline::of_this_thread(), kOne);
    std::thread([] { EXPECT_EQ(CallDeadline::of_this_thread(), Time::max()); }).join();
  }
  EXPECT_EQ(CallDeadline::of_this_thread(), Time::max());
}

TEST(CallDeadline, IsNeverLongerThanTheOneAroundIt) {
  const CallDeadline outer(kOne);
  {
    const CallDeadline later(kTwo);
    EXPECT_EQ(CallDeadline::of_this_thread(), kOne);
  }
  const CallDeadline sooner(kNoon);
  EXPECT_EQ(CallDeadline::of_this_thread(), kNoon);
}

// An import of 100,000 keys took its time, and what the request had to do after it failed for want of some.
TEST(CallDeadline, WaitsLongerForWhatTakesLonger) {
  {
    const CallDeadline request(kNoon);
    CallDeadline::allow_more(std::chrono::hours(1));
    EXPECT_EQ(CallDeadline::of_this_thread(), kOne);
  }
  CallDeadline::allow_more(std::chrono::hours(1));
  EXPECT_EQ(CallDeadline::of_this_thread(), Time::max());
}

}  // namespace
}  // namespace akr
