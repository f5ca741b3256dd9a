// The list of 2,000 keys with 65,000 model waits took 22 s, because each key's status walked over all of them, and the
// export of states held the pool's lock for 39 ms every second.  Stands for work under the lock that grows with the
// whole pool.
#include "core/keys/pool/model_waits.hpp"

#include <algorithm>
#include <ctime>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/keys/pool/pool_state.hpp"
#include "core/keys/pool/pool_test_support.hpp"

namespace akr {
namespace {

using namespace pool_test;

PairOwner owner(std::int64_t id) { return PairOwner::of(KeyId{id}); }

std::size_t count_of(ModelWaits& waits, std::int64_t id, std::size_t most = 1'000'000) {
  std::size_t count = 0;
  waits.for_each_of(owner(id), most, [&](const ModelWait&) { ++count; });
  return count;
}

TEST(ModelWaits, AnOwnersWaitsAreFoundWithoutTheOthers) {
  ModelWaits waits;
  for (int key = 1; key <= 100; ++key) {
    for (int model = 0; model < key; ++model) waits.open(owner(key), ModelTag("m" + std::to_string(model)), kStart);
  }
  for (int key = 1; key <= 100; ++key) EXPECT_EQ(count_of(waits, key), static_cast<std::size_t>(key));
  EXPECT_EQ(count_of(waits, 50, 7), 7U);
  EXPECT_EQ(count_of(waits, 101), 0U);
  waits.erase_all_of(owner(50));
  EXPECT_EQ(count_of(waits, 50), 0U);
  EXPECT_EQ(count_of(waits, 51), 51U);
}

// Against a plain map: whatever comes and goes, both indexes tell exactly what is there.
TEST(ModelWaits, IndexesAgreeWithAPlainMap) {
  ModelWaits waits;
  std::set<std::pair<std::int64_t, int>> reference;
  Random random(3);
  for (int step = 0; step < 20'000; ++step) {
    const std::int64_t key = random.below(20);
    const int model = static_cast<int>(random.below(20));
    const ModelTag tag("m" + std::to_string(model));
    switch (random.below(8)) {
      case 0:
        waits.erase_all_of(owner(key));
        std::erase_if(reference, [key](const auto& each) { return each.first == key; });
        break;
      case 1:
      case 2:
        waits.erase(owner(key), tag.hash());
        reference.erase({key, model});
        break;
      default:
        waits.open(owner(key), tag, kStart);
        reference.emplace(key, model);
    }
    ASSERT_EQ(waits.size(), reference.size());
    const auto of_key =
        std::count_if(reference.begin(), reference.end(), [key](const auto& e) { return e.first == key; });
    ASSERT_EQ(count_of(waits, key), static_cast<std::size_t>(of_key));
    std::size_t placed = 0;
    for (std::size_t at = 0; at < waits.places(); ++at) {
      waits.visit_place(at, [&](const ModelWaits::Pair&, const ModelWait&) { ++placed; });
    }
    ASSERT_EQ(placed, reference.size());
    ASSERT_LE(waits.places(), 400U);
  }
}

constexpr int kKeys = 2000;
constexpr int kModels = 32;

// Each of the keys waits for 32 models, as after an hour of 429s.
void fill(KeyPool& pool, const WallTime wall) {
  std::vector<KeyStateRecord> rows;
  for (int key = 1; key <= kKeys; ++key) {
    for (int model = 0; model < kModels; ++model) {
      KeyStateRecord row{.key = KeyId{key}, .model = "m" + std::to_string(model), .state = KeyState::kCooling};
      row.reason = "http_429";
      row.until = row.next_try = wall + 1h;
      rows.push_back(row);
    }
  }
  pool.import_states(rows, kStart, wall);
}

std::chrono::nanoseconds cpu_time() {
  timespec time = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TEST(ModelWaits, TheStatusOfAllKeysCostsNoMoreThanTheirOwnWaits) {
  auto pool = make_pool(make_keys(kKeys));
  fill(*pool, WallTime{});
  const auto began = cpu_time();
  for (int key = 1; key <= kKeys; ++key) {
    ASSERT_EQ(pool->status(KeyId{key}, kStart)->cooling_models, static_cast<std::uint32_t>(kModels));
  }
  EXPECT_LT(cpu_time() - began, 2s) << "22 s when each walked over all; a few ms now";
}

TEST(ModelWaits, ExportIsToldInSmallPartsAndWhole) {
  PoolState pool(7);
  std::vector<UpstreamKey> keys = make_keys(3000);
  for (int i = 0; i < 1500; ++i) keys[static_cast<std::size_t>(i)].group = "g" + std::to_string(i % 700);
  Roster roster = make_roster(keys, {});
  pool.adopt(std::move(roster));
  const WallClock clock = WallClock::at(kStart, WallTime{} + 1000h);
  std::map<std::tuple<std::int64_t, std::string, std::string>, int> told;
  const auto put = [&](KeyStateRecord row) {
    row.state = KeyState::kCooling;
    row.until = row.next_try = WallTime{} + 2000h;
    pool.import(row, clock);
    ++told[{row.key.value, row.group, row.model}];
  };
  for (int key = 1501; key <= 3000; ++key) {
    put({.key = KeyId{key}});
    for (int model = 0; model < 4; ++model) put({.key = KeyId{key}, .model = "m" + std::to_string(model)});
  }
  for (int group = 0; group < 700; ++group) {
    put({.group = "g" + std::to_string(group)});
    put({.group = "g" + std::to_string(group), .model = "m"});
  }
  std::vector<KeyStateRecord> rows;
  ExportCursor cursor;
  for (bool more = true; more;) {
    const std::size_t before = rows.size();
    more = pool.rows().export_part(cursor, clock, rows);
    ASSERT_LE(rows.size() - before, PoolRows::kExportRows);
  }
  for (const KeyStateRecord& row : rows) --told[{row.key.value, row.group, row.model}];
  EXPECT_EQ(rows.size(), told.size());
  EXPECT_TRUE(std::all_of(told.begin(), told.end(), [](const auto& each) { return each.second == 0; }));
}

// Between two parts waits come and go: what stays is told all the same, exactly once.
TEST(ModelWaits, AWalkInPartsMissesNothingThatStays) {
  ModelWaits waits;
  for (int key = 1; key <= 1000; ++key) waits.open(owner(key), ModelTag("m"), kStart);
  std::map<std::uint64_t, int> seen;
  for (std::size_t at = 0; at < waits.places(); ++at) {
    waits.visit_place(at, [&](const ModelWaits::Pair& pair, const ModelWait&) { ++seen[pair.owner.value]; });
    if (at % 10 != 0) continue;
    waits.erase_all_of(owner(2 * static_cast<std::int64_t>(at % 500) + 2));  // even keys go
    waits.open(owner(5000 + static_cast<std::int64_t>(at)), ModelTag("m"), kStart);
  }
  for (std::uint64_t key = 1; key <= 1000; key += 2) EXPECT_EQ(seen[key], 1) << key;
}

}  // namespace
}  // namespace akr
