#include "jobs/outage_alerts.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace akr {
namespace {

using namespace std::chrono_literals;

class OutageAlertsTest : public testing::Test {
 protected:
  OutageAlertsTest() {
    std::vector<UpstreamKey> keys;
    for (int i = 1; i <= 4; ++i)
      keys.push_back({.id = KeyId{i}, .service = ServiceId{1}, .secret = Secret("upstream-key-" + std::to_string(i))});
    pool_->replace_keys(keys);
  }

  // All keys are refused with 403, as by a firewall.
  void wave() {
    for (int i = 0; i < 4; ++i) {
      auto lease = pool_->select({}, now_);
      ASSERT_TRUE(lease);
      lease->report({.key = KeyAction::kForbid, .reason = "http_403"}, now_);
      if (pool_->outage().suspected) return;
    }
    FAIL() << "the guard did not notice";
  }
  void heal() {
    now_ += 1s;
    auto lease = pool_->select({}, now_);
    ASSERT_TRUE(lease);
    lease->report({.key = KeyAction::kGood}, now_);
  }

  TimePoint now_{1000s};
  std::shared_ptr<KeyPool> pool_ = std::make_shared<KeyPool>(7);
  std::vector<std::string> told_;
  bool present_ = true;
  OutageAlerts alerts_{[this] {
                         std::vector<ServicePool> pools;
                         if (present_) pools.push_back({ServiceId{1}, pool_, "chat"});
                         return pools;
                       },
                       [this](const OutageAlert& alert) {
                         told_.push_back(std::string(alert.service) + (alert.began ? " began " : " over ") +
                                         std::string(alert.reason) + " " + std::to_string(alert.lasted.count()));
                       }};
};

TEST_F(OutageAlertsTest, TellsTheBeginningAndTheEndOnceEach) {
  alerts_.look(now_);
  EXPECT_TRUE(told_.empty());
  wave();
  for (int i = 0; i < 5; ++i) alerts_.look(now_ += 2s);
  EXPECT_EQ(told_, std::vector<std::string>({"chat began http_403 2"}));
  heal();
  for (int i = 0; i < 5; ++i) alerts_.look(now_);
  EXPECT_EQ(told_, std::vector<std::string>({"chat began http_403 2", "chat over http_403 11"}));
}

TEST_F(OutageAlertsTest, AnEpisodeBetweenTwoLooksIsTold) {
  wave();
  heal();
  alerts_.look(now_);
  EXPECT_EQ(told_, std::vector<std::string>({"chat began http_403 1", "chat over http_403 1"}));
}

TEST_F(OutageAlertsTest, OneThatEndedAndAnotherThatBeganAreBothTold) {
  wave();
  alerts_.look(now_);
  heal();
  wave();
  alerts_.look(now_);
  EXPECT_EQ(told_.size(), 3U);
}

TEST_F(OutageAlertsTest, AServiceThatIsGoneIsForgotten) {
  wave();
  alerts_.look(now_);
  present_ = false;
  alerts_.look(now_);
  EXPECT_EQ(told_.size(), 1U);
}

}  // namespace
}  // namespace akr
