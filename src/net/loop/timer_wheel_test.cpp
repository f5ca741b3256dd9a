#include "net/loop/timer_wheel.hpp"

#include <functional>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace akr::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Node final : TimerNode {
  std::function<void()> action = [] {};
  int fired = 0;
  int stopped = 0;

 private:
  void on_deadline() override {
    ++fired;
    action();
  }
  void on_stop() override { ++stopped; }
};

const TimePoint kStart{std::chrono::hours(1)};

TEST(TimerWheel, FiresNeverEarlyAndWithinTwoTicks) {
  TimerWheel wheel(kStart);
  Node node;
  wheel.arm(node, kStart + milliseconds(100));
  wheel.advance(kStart + milliseconds(100) - std::chrono::nanoseconds(1));
  EXPECT_EQ(node.fired, 0);
  wheel.advance(kStart + milliseconds(132));
  EXPECT_EQ(node.fired, 1);
  EXPECT_FALSE(node.armed());
}

TEST(TimerWheel, DeadlineInThePastFiresWithTheNextTick) {
  TimerWheel wheel(kStart);
  Node node;
  wheel.arm(node, kStart - seconds(5));
  wheel.advance(kStart + milliseconds(16));
  EXPECT_EQ(node.fired, 1);
}

// Thousands of connections that were opened at one time ran into their deadline in one turn of the loop, which stood
// still for as long as it took to answer all of them.  (Kind: loops that do not return to the event loop.)
TEST(TimerWheel, ACrowdThatIsDueAtOneTimeFiresInPortions) {
  constexpr int kCrowd = 1000;
  TimerWheel wheel(kStart);
  std::vector<std::unique_ptr<Node>> crowd;
  int fired = 0;
  for (int i = 0; i < kCrowd; ++i) {
    crowd.push_back(std::make_unique<Node>());
    crowd.back()->action = [&fired] { ++fired; };
    wheel.arm(*crowd.back(), kStart + milliseconds(100));
  }
  const TimePoint now = kStart + milliseconds(200);
  for (int before = 0; fired < kCrowd; before = fired) {
    EXPECT_LE(wheel.next_due(), now);  // nobody may sleep before all have fired
    crowd.back()->unlink();            // the last one is cancelled while it waits for its portion
    wheel.arm(*crowd.back(), kStart + milliseconds(100));
    wheel.advance(now);
    ASSERT_GT(fired, before);
    ASSERT_LE(fired - before, 256);
  }
  EXPECT_EQ(wheel.next_due(), TimePoint::max());
}

TEST(TimerWheel, NextDueCoversTheEarliestDeadline) {
  TimerWheel wheel(kStart);
  EXPECT_EQ(wheel.next_due(), TimePoint::max());
  Node far;
  Node near;
  wheel.arm(far, kStart + seconds(20));
  wheel.arm(near, kStart + milliseconds(200));
  const TimePoint due = wheel.next_due();
  EXPECT_GT(due, kStart + milliseconds(200));
  EXPECT_LE(due, kStart + milliseconds(232));
  wheel.advance(due);
  EXPECT_EQ(near.fired, 1);
  EXPECT_EQ(far.fired, 0);
}

// Every wait that ended in time left its place marked, and the worker woke up for it half a minute later.
TEST(TimerWheel, NobodyWakesUpForWhatWasCancelled) {
  TimerWheel wheel(kStart);
  Node far;
  wheel.arm(far, kStart + seconds(20));
  const TimePoint due = wheel.next_due();
  for (int i = 0; i < 1000; ++i) {
    Node cancelled;
    wheel.arm(cancelled, kStart + milliseconds(i * 16));
  }
  EXPECT_EQ(wheel.next_due(), due);
  far.unlink();
  EXPECT_EQ(wheel.next_due(), TimePoint::max());
}

TEST(TimerWheel, ArmedAgainMovesTheDeadline) {
  TimerWheel wheel(kStart);
  Node node;
  wheel.arm(node, kStart + milliseconds(50));
  wheel.arm(node, kStart + milliseconds(500));
  wheel.advance(kStart + milliseconds(300));
  EXPECT_EQ(node.fired, 0);
  wheel.advance(kStart + milliseconds(600));
  EXPECT_EQ(node.fired, 1);
}

TEST(TimerWheel, DestroyedAndUnlinkedNodesDoNotFire) {
  TimerWheel wheel(kStart);
  auto gone = std::make_unique<Node>();
  Node unlinked;
  wheel.arm(*gone, kStart + milliseconds(50));
  wheel.arm(unlinked, kStart + milliseconds(50));
  gone.reset();
  unlinked.unlink();
  wheel.advance(kStart + seconds(1));
  EXPECT_EQ(unlinked.fired, 0);
}

TEST(TimerWheel, DeadlineBeyondTheHorizonIsKept) {
  TimerWheel wheel(kStart);
  Node node;
  const TimePoint deadline = kStart + seconds(100);
  wheel.arm(node, deadline);
  for (TimePoint now = kStart; now < deadline; now += seconds(1)) {
    wheel.advance(now);
    ASSERT_EQ(node.fired, 0);
    ASSERT_LT(wheel.next_due(), TimePoint::max());
  }
  wheel.advance(deadline + milliseconds(32));
  EXPECT_EQ(node.fired, 1);
}

TEST(TimerWheel, LongStopFiresWhatIsDueOnceAndKeepsTheRest) {
  TimerWheel wheel(kStart);
  Node due;
  Node later;
  wheel.arm(due, kStart + seconds(10));
  wheel.arm(later, kStart + seconds(3700));
  wheel.advance(kStart + seconds(3600));
  EXPECT_EQ(due.fired, 1);
  EXPECT_EQ(later.fired, 0);
  for (int second = 3601; second <= 3701; ++second) wheel.advance(kStart + seconds(second));
  EXPECT_EQ(later.fired, 1);
}

TEST(TimerWheel, FiringMayArmAndCancelOthersOfTheSameSlot) {
  TimerWheel wheel(kStart);
  Node first;
  Node second;
  Node third;
  const TimePoint deadline = kStart + milliseconds(64);
  first.action = [&] {
    second.unlink();
    wheel.arm(first, deadline);  // not again in this turn: an endless loop otherwise
    wheel.arm(third, deadline);
  };
  wheel.arm(first, deadline);
  wheel.arm(second, deadline);
  wheel.advance(deadline + milliseconds(16));
  EXPECT_EQ(first.fired, 1);
  EXPECT_EQ(second.fired, 0);
  EXPECT_EQ(third.fired, 0);
  first.action = [] {};
  wheel.advance(deadline + milliseconds(48));
  EXPECT_EQ(first.fired, 2);
  EXPECT_EQ(third.fired, 1);
}

TEST(TimerWheel, StopAllReachesEveryNodeAndSaysWhetherThereWasOne) {
  TimerWheel wheel(kStart);
  Node soon;
  Node far;
  wheel.arm(soon, kStart + milliseconds(10));
  wheel.arm(far, kStart + seconds(1000));
  EXPECT_TRUE(wheel.stop_all());
  EXPECT_EQ(soon.stopped + far.stopped, 2);
  EXPECT_EQ(soon.fired + far.fired, 0);
  EXPECT_FALSE(wheel.stop_all());
}

TEST(TimerWheel, RandomDeadlinesAllFireInTime) {
  TimerWheel wheel(kStart);
  std::mt19937 random(7);
  constexpr int kNodes = 2000;
  std::vector<Node> nodes(kNodes);
  std::vector<TimePoint> deadlines;
  TimePoint now = kStart;
  for (Node& node : nodes) {
    const TimePoint deadline = kStart + milliseconds(random() % 60'000);
    deadlines.push_back(deadline);
    node.action = [&now, deadline] { EXPECT_GE(now, deadline); };
    wheel.arm(node, deadline);
  }
  while (now < kStart + seconds(61)) {
    const TimePoint due = wheel.next_due();
    if (due == TimePoint::max()) break;
    now = due;
    wheel.advance(now);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (deadlines[i] + milliseconds(33) < now) ASSERT_EQ(nodes[i].fired, 1);
    }
  }
  for (const Node& node : nodes) EXPECT_EQ(node.fired, 1);
}

}  // namespace
}  // namespace akr::net
