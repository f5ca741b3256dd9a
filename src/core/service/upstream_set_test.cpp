#include "core/service/upstream_set.hpp"

#include <atomic>
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>

namespace akr {
namespace {

using namespace std::chrono_literals;
using enum UpstreamState;
constexpr auto kOk = EndpointEffect::kOk;
constexpr auto kFail = EndpointEffect::kFail;
constexpr auto kNone = EndpointEffect::kNone;
constexpr TimePoint kStart = TimePoint(1000h);

struct Row {
  std::uint32_t weight = 1;
  std::int32_t priority = 0;
};

std::vector<Upstream> list_of(std::initializer_list<Row> rows) {
  std::vector<Upstream> list;
  for (const Row& row : rows) {
    list.push_back(
        {"https://" + std::string(1, static_cast<char>('a' + list.size())) + ".example/v1", row.weight, row.priority});
  }
  return list;
}

std::shared_ptr<UpstreamSet> make(std::initializer_list<Row> rows) { return UpstreamSet::make(list_of(rows)).value(); }

std::string turns(UpstreamSet& set, int count, TimePoint now = kStart, UpstreamMask avoid = 0) {
  std::string text;
  for (int i = 0; i < count; ++i) text += static_cast<char>('A' + set.select(avoid, now).index());
  return text;
}

// Takes turns until it gets this one.
UpstreamLease lease_of(UpstreamSet& set, std::uint32_t index, TimePoint now) {
  const UpstreamMask others = ~(UpstreamMask{1} << index);
  UpstreamLease lease = set.select(others, now);
  EXPECT_EQ(lease.index(), index);
  return lease;
}

void eject(UpstreamSet& set, std::uint32_t index, TimePoint now) {
  std::vector<UpstreamLease> leases;
  for (int i = 0; i < 5; ++i) leases.push_back(lease_of(set, index, now));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(leases[i].report(kFail, now), UpstreamChange::kNone);
  EXPECT_EQ(leases[4].report(kFail, now), UpstreamChange::kEjected);
}

UpstreamState state_of(UpstreamSet& set, std::uint32_t index, TimePoint now) { return set.states(now)[index].state; }

// ---- turns

TEST(UpstreamSet, TakesTurnsByWeightSmoothly) {
  const auto set = make({{3}, {1}});
  EXPECT_EQ(turns(*set, 8), "AABAAABA");
  std::map<char, int> count;
  for (const char c : turns(*set, 4000)) ++count[c];
  EXPECT_EQ(count['A'], 3000);
  EXPECT_EQ(count['B'], 1000);
}

TEST(UpstreamSet, WeightZeroIsNeverChosen) {
  const auto set = make({{0}, {1}, {0}});
  eject(*set, 1, kStart);
  EXPECT_EQ(turns(*set, 3), "BBB");
  EXPECT_FALSE(set->has_other(0, kStart));
}

TEST(UpstreamSet, ALowerTierIsUsedAsLongAsItHasAHealthyOne) {
  const auto set = make({{1, 1}, {1, 0}, {1, 0}});
  EXPECT_EQ(turns(*set, 4), "BCBC");
  eject(*set, 1, kStart);
  EXPECT_EQ(turns(*set, 3), "CCC");
  eject(*set, 2, kStart);
  EXPECT_EQ(turns(*set, 3), "AAA");
  // Left at once when the better one is back.
  EXPECT_EQ(set->select(0, kStart + 30s).report(kOk, kStart + 30s), UpstreamChange::kReturned);
  EXPECT_EQ(turns(*set, 1, kStart + 30s), "C");
}

TEST(UpstreamSet, PrefersWhatTheRequestHasNotFailedOn) {
  const auto set = make({{1}, {1}, {1, 9}});
  EXPECT_EQ(turns(*set, 3, kStart, 0b001), "BBB");
  EXPECT_EQ(turns(*set, 3, kStart, 0b011), "CCC");
  EXPECT_TRUE(set->has_other(0b011, kStart));
  // Rather the same again than nobody.
  EXPECT_FALSE(set->has_other(0b111, kStart));
  const char again = turns(*set, 1, kStart, 0b111).front();
  EXPECT_TRUE(again == 'A' || again == 'B');
  // And rather the same again than one that is ejected.
  eject(*set, 1, kStart);
  eject(*set, 2, kStart);
  EXPECT_EQ(turns(*set, 2, kStart, 0b001), "AA");
  EXPECT_FALSE(set->has_other(0b001, kStart));
}

// ---- ejection and return

TEST(UpstreamSet, OnlyFailuresInARowEject) {
  const auto set = make({{1}, {1}});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(lease_of(*set, 0, kStart).report(i % 5 == 4 ? kOk : kFail, kStart), UpstreamChange::kNone);
  }
  for (int i = 0; i < 20; ++i) lease_of(*set, 0, kStart).report(kNone, kStart);
  EXPECT_EQ(state_of(*set, 0, kStart), kHealthy);
  EXPECT_EQ(set->states(kStart)[0].consecutive_failures, 0U);
  lease_of(*set, 0, kStart).report(kFail, kStart);
  lease_of(*set, 0, kStart).report(kNone, kStart);  // a client that left says nothing
  EXPECT_EQ(set->states(kStart)[0].consecutive_failures, 1U);
}

TEST(UpstreamSet, TheHoldDoublesWithEachEjectionInARow) {
  const auto set = make({{1}, {1}});
  TimePoint now = kStart;
  eject(*set, 0, now);
  for (const auto hold : {30s, 60s, 120s, 240s, 300s, 300s}) {
    const UpstreamStatus status = set->states(now)[0];
    EXPECT_EQ(status.state, kEjected);
    EXPECT_EQ(status.until, now + hold);
    EXPECT_EQ(turns(*set, 3, now + hold - 1ms), "BBB");
    now += hold;
    EXPECT_EQ(state_of(*set, 0, now), kTrial);
    UpstreamLease trial = set->select(0, now);
    EXPECT_TRUE(trial.trial());
    EXPECT_EQ(trial.index(), 0U);
    EXPECT_EQ(trial.report(kFail, now), UpstreamChange::kEjected);
  }
  now += 300s;
  EXPECT_EQ(set->select(0, now).report(kOk, now), UpstreamChange::kReturned);
  EXPECT_EQ(set->states(now)[0].consecutive_failures, 0U);
  eject(*set, 0, now);  // from the beginning
  EXPECT_EQ(set->states(now)[0].until, now + 30s);
}

TEST(UpstreamSet, OneRequestTriesAHalfOpenUrl) {
  const auto set = make({{1}, {1}});
  eject(*set, 0, kStart);
  const TimePoint later = kStart + 30s;
  UpstreamLease trial = set->select(0, later);
  EXPECT_TRUE(trial.trial());
  EXPECT_EQ(turns(*set, 10, later), "BBBBBBBBBB");
  EXPECT_EQ(state_of(*set, 0, later), kTrial);
  trial.report(kNone, later);
  EXPECT_EQ(turns(*set, 2, later), "BB");
  trial = UpstreamLease();  // the client left: the turn goes to the next request
  UpstreamLease next = set->select(0, later);
  EXPECT_TRUE(next.trial());
  UpstreamLease moved = std::move(next);
  EXPECT_EQ(turns(*set, 2, later), "BB");
  EXPECT_EQ(moved.report(kOk, later), UpstreamChange::kReturned);
  EXPECT_EQ(moved.report(kFail, later), UpstreamChange::kNone);  // the stream broke afterwards: one failure
  EXPECT_EQ(set->states(later)[0].consecutive_failures, 1U);
}

TEST(UpstreamSet, RequestsFromBeforeTheEjectionDoNotPutTheReturnOff) {
  const auto set = make({{1}, {1}});
  UpstreamLease old = lease_of(*set, 0, kStart);
  UpstreamLease older = lease_of(*set, 0, kStart);
  eject(*set, 0, kStart);
  EXPECT_EQ(old.report(kFail, kStart + 20s), UpstreamChange::kNone);
  EXPECT_EQ(set->states(kStart + 20s)[0].until, kStart + 30s);
  EXPECT_EQ(older.report(kOk, kStart + 20s), UpstreamChange::kReturned);
}

TEST(UpstreamSet, AnOldTrialDoesNotEndAYoungerOne) {
  const auto set = make({{1}, {1}});
  UpstreamLease old = lease_of(*set, 0, kStart);
  eject(*set, 0, kStart);
  const TimePoint later = kStart + 30s;
  UpstreamLease first = set->select(0, later);
  old.report(kOk, later);
  eject(*set, 0, later);
  UpstreamLease second = set->select(0, later + 30s);
  ASSERT_TRUE(second.trial());
  first = UpstreamLease();
  EXPECT_EQ(turns(*set, 2, later + 30s), "BB");
}

TEST(UpstreamSet, IfAllAreEjectedTheSoonestIsUsed) {
  const auto set = make({{1}, {1, 5}});
  eject(*set, 1, kStart);
  eject(*set, 0, kStart + 5s);
  EXPECT_EQ(turns(*set, 3, kStart + 6s), "BBB");
  EXPECT_EQ(turns(*set, 1, kStart + 6s, 0b10), "A");
  UpstreamLease last_resort = set->select(0, kStart + 6s);
  EXPECT_FALSE(last_resort.trial());
  EXPECT_EQ(last_resort.report(kFail, kStart + 6s), UpstreamChange::kNone);
  EXPECT_EQ(set->select(0, kStart + 6s).report(kOk, kStart + 6s), UpstreamChange::kReturned);
}

TEST(UpstreamSet, ProbesGoToASteadyUrlAndTakeNoTurn) {
  const auto set = make({{0, 0}, {1, 1}, {1, 2}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(&set->steady(), &set->url(1));
  eject(*set, 1, kStart);
  EXPECT_EQ(&set->steady(), &set->url(2));
  eject(*set, 2, kStart + 1s);
  EXPECT_EQ(&set->steady(), &set->url(1));
  EXPECT_EQ(turns(*set, 1, kStart + 30s), "B");  // the trial is still to be had
}

TEST(UpstreamSet, OneTrialAmongManyThreads) {
  const auto set = make({{1}, {1}});
  eject(*set, 0, kStart);
  std::atomic<int> running = 0, trials = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        const UpstreamLease lease = set->select(0, kStart + 30s);
        if (!lease.trial()) continue;
        EXPECT_EQ(++running, 1);
        ++trials;
        --running;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(trials, 0);
  EXPECT_TRUE(set->select(0, kStart + 30s).trial());
}

// ---- edits and refusals

TEST(UpstreamSet, AnEditedListKeepsTheHealthOfUrlsThatStay) {
  const auto list = list_of({{1}, {1}, {1}});
  const auto before = UpstreamSet::make(list).value();
  eject(*before, 1, kStart);
  lease_of(*before, 2, kStart).report(kFail, kStart);
  UpstreamLease trial = before->select(0, kStart + 30s);
  const std::vector<Upstream> edited = {{"https://new.example", 1, 0}, {list[2].url, 7, 0}, {list[1].url, 1, 0}};
  const auto after = UpstreamSet::make(edited, before.get()).value();
  EXPECT_EQ(state_of(*after, 0, kStart), kHealthy);
  EXPECT_EQ(after->states(kStart)[1].consecutive_failures, 1U);
  EXPECT_EQ(after->states(kStart)[2].until, kStart + 30s);
  EXPECT_TRUE(lease_of(*after, 2, kStart + 30s).trial());  // the old set's trial does not block the new one's
}

TEST(UpstreamSet, RefusesWhatCannotWork) {
  const auto message = [](const std::vector<Upstream>& list) {
    const auto made = UpstreamSet::make(list);
    EXPECT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(made.error().field, "upstreams");
    return made.error().message;
  };
  EXPECT_EQ(message({}), "at least one upstream needs a weight over 0");
  EXPECT_EQ(message({{"https://a.example", 0, 0}}), "at least one upstream needs a weight over 0");
  EXPECT_TRUE(message({{"https://a.example", 1, 0}, {"ftp://b.example", 1, 0}}).starts_with("upstream 2: "));
  EXPECT_NE(message(std::vector<Upstream>(65, {"https://a.example", 1, 0})).find("64"), std::string::npos);
}

// ---- against a model that is too simple to be wrong

struct Model {
  struct Url {
    int failures = 0;
    int ejections = 0;
    TimePoint until{};
    bool trial = false;
    bool healthy() const { return ejections == 0; }
  };
  std::vector<Upstream> list;
  std::vector<Url> urls;

  bool usable(std::size_t i) const { return list[i].weight > 0; }
  bool healthy_as_good_as(std::size_t i, UpstreamMask avoid) const {
    for (std::size_t j = 0; j < urls.size(); ++j) {
      if (usable(j) && urls[j].healthy() && (avoid >> j & 1) == 0 && list[j].priority <= list[i].priority) return true;
    }
    return false;
  }
  bool any_healthy() const {
    for (std::size_t j = 0; j < urls.size(); ++j) {
      if (usable(j) && urls[j].healthy()) return true;
    }
    return false;
  }
};

void check_choice(const Model& model, const UpstreamLease& lease, UpstreamMask avoid, TimePoint now) {
  const std::size_t i = lease.index();
  const Model::Url& url = model.urls[i];
  ASSERT_TRUE(model.usable(i));
  if (url.healthy()) {
    ASSERT_FALSE(lease.trial());
    for (std::size_t j = 0; j < model.urls.size(); ++j) {
      if (j == i || model.list[j].priority >= model.list[i].priority) continue;
      const bool better = model.usable(j) && model.urls[j].healthy() && (avoid >> j & 1) == 0;
      ASSERT_FALSE(better) << "tier " << model.list[i].priority << " while tier " << model.list[j].priority << " works";
    }
    return;
  }
  if (lease.trial()) {
    ASSERT_FALSE(url.trial) << "two trials at once";
    ASSERT_LE(url.until, now);
    return;
  }
  ASSERT_FALSE(model.any_healthy()) << "an ejected one while a healthy one exists";
}

TEST(UpstreamSet, KeepsItsPromisesInAnyOrderOfEvents) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    std::minstd_rand random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    Model model;
    const int size = 2 + below(4);
    for (int i = 0; i < size; ++i) {
      model.list.push_back(
          {"https://u" + std::to_string(i) + ".example", static_cast<std::uint32_t>(below(4)), below(3)});
    }
    model.list[0].weight = 1;
    model.urls.resize(model.list.size());
    const auto set = UpstreamSet::make(model.list).value();
    TimePoint now = kStart;
    std::vector<UpstreamLease> running;
    for (int step = 0; step < 400; ++step) {
      now += std::chrono::seconds(below(8) == 0 ? below(60) : 0);
      if (running.empty() || below(2) == 0) {
        const auto avoid = static_cast<UpstreamMask>(below(3) == 0 ? below(1 << size) : 0);
        UpstreamLease lease = set->select(avoid, now);
        ASSERT_NO_FATAL_FAILURE(check_choice(model, lease, avoid, now)) << "seed " << seed << " step " << step;
        model.urls[lease.index()].trial |= lease.trial();
        running.push_back(std::move(lease));
        continue;
      }
      const auto at = static_cast<std::size_t>(below(static_cast<int>(running.size())));
      UpstreamLease lease = std::move(running[at]);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
      Model::Url& url = model.urls[lease.index()];
      const bool trial = lease.trial();
      switch (below(4)) {
        case 0: {
          const bool was = url.healthy();
          ASSERT_EQ(lease.report(kOk, now), was ? UpstreamChange::kNone : UpstreamChange::kReturned);
          url = Model::Url();
          break;
        }
        case 1:
          lease = UpstreamLease();
          if (trial && !url.healthy()) url.trial = false;
          break;
        default:
          // Whether this trial is still the one that counts is the set's business; it says so by ejecting.
          const bool ejected = lease.report(kFail, now) == UpstreamChange::kEjected;
          ++url.failures;
          if (url.healthy()) ASSERT_EQ(ejected, url.failures >= 5);
          if (!url.healthy() && !trial) ASSERT_FALSE(ejected);
          if (trial && ejected) url.trial = false;
          if (!ejected) break;
          url.until = now + std::min<Duration>(30s * (1 << std::min(url.ejections, 6)), 300s);
          ++url.ejections;
          break;
      }
      ASSERT_EQ(set->states(now)[0].state == kHealthy, model.urls[0].healthy());
    }
  }
}

}  // namespace
}  // namespace akr
