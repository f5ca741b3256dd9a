#include "core/pins/pin_table.hpp"

#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/manual_clock.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kKey = "a key for hashing that is long";
constexpr ServiceId kService{1};
constexpr PinnedKey kFirst{kService, KeyId{1}};
constexpr PinnedKey kSecond{kService, KeyId{2}};

class PinTableTest : public testing::Test {
 protected:
  void put(std::string_view id, PinnedKey to = kFirst, PinTable::How how = PinTable::How::kMade) {
    table_.put(kService, "alice", id, to, how, clock_.wall());
  }
  std::optional<PinnedKey> find(std::string_view id, std::string_view access_key = "alice",
                                ServiceId asked = kService) {
    return find_in(table_, asked, access_key, id);
  }
  std::optional<PinnedKey> find_in(PinTable& table, ServiceId asked, std::string_view access_key, std::string_view id) {
    return table.look_up(asked, access_key, id, PinTable::Sharing::kNo, clock_.wall()).key;
  }

  ManualClock clock_;
  PinTable table_{kKey};
};

TEST_F(PinTableTest, RemembersPerServiceAccessKeyAndResource) {
  put("file-1");
  put("file-2", kSecond);
  EXPECT_EQ(find("file-1"), kFirst);
  EXPECT_EQ(find("file-2"), kSecond);
  EXPECT_EQ(find("file-3"), std::nullopt);
  EXPECT_EQ(find("file-1", "bob"), std::nullopt);
  EXPECT_EQ(find("file-1", "alice", ServiceId{2}), std::nullopt);
  // The parts cannot be shifted into one another.
  EXPECT_EQ(find("efile-1", "alic"), std::nullopt);
}

TEST_F(PinTableTest, TheLastWordWins) {
  put("file-1");
  put("file-1", kSecond);
  EXPECT_EQ(find("file-1"), kSecond);
  EXPECT_EQ(table_.size(), 1U);
}

TEST_F(PinTableTest, WhatAnotherKeySeesStaysWhereItWasMade) {
  put("file-1");
  put("file-1", kSecond, PinTable::How::kSeen);
  EXPECT_EQ(find("file-1"), kFirst);
  put("file-2", kSecond, PinTable::How::kSeen);
  EXPECT_EQ(find("file-2"), kSecond);
  clock_.advance(49h);
  put("file-1", kSecond, PinTable::How::kSeen);
  EXPECT_EQ(find("file-1"), kSecond);
}

// Pins said which key made a thing, but not whose it is: any access key that went out with that key reached it.
TEST_F(PinTableTest, WhatWasMadeBelongsToItsAccessKey) {
  using Sharing = PinTable::Sharing;
  const auto look = [this](std::string_view id, std::string_view who, Sharing sharing = Sharing::kNo) {
    return table_.look_up(kService, who, id, sharing, clock_.wall());
  };
  put("made");
  put("seen", kFirst, PinTable::How::kSeen);
  put("named", kFirst, PinTable::How::kNamed);
  EXPECT_TRUE(look("made", "alice").mine);
  EXPECT_FALSE(look("made", "alice").foreign);
  EXPECT_TRUE(look("made", "bob").foreign);
  EXPECT_EQ(look("made", "bob").key, std::nullopt);
  EXPECT_EQ(look("made", "bob", Sharing::kYes).key, kFirst);
  for (const char* id : {"seen", "named", "unknown"}) {
    EXPECT_FALSE(look(id, "alice").mine) << id;
    EXPECT_FALSE(look(id, "bob").foreign) << id;
  }
  EXPECT_EQ(look("named", "alice").key, kFirst);
  EXPECT_FALSE(table_.look_up(ServiceId{2}, "bob", "made", Sharing::kNo, clock_.wall()).foreign);
  // What others ask in vain keeps it no longer.
  clock_.advance(47h);
  EXPECT_TRUE(look("made", "bob").foreign);
  clock_.advance(2h);
  EXPECT_FALSE(look("made", "bob").foreign);
}

TEST_F(PinTableTest, OneNameMayBeMadeByTwo) {
  put("files/a");
  table_.put(kService, "bob", "files/a", kSecond, PinTable::How::kMade, clock_.wall());
  EXPECT_EQ(find("files/a"), kFirst);
  EXPECT_EQ(find("files/a", "bob"), kSecond);
  EXPECT_EQ(find("files/a", "carol"), std::nullopt);
  table_.forget(kService, "bob", "files/a", clock_.wall());
  EXPECT_EQ(find("files/a"), kFirst);
  const auto rows = table_.take_changes(10);
  PinTable next(kKey);
  next.restore(rows, clock_.wall());
  EXPECT_TRUE(next.look_up(kService, "bob", "files/a", PinTable::Sharing::kNo, clock_.wall()).foreign);
  EXPECT_TRUE(next.look_up(kService, "alice", "files/a", PinTable::Sharing::kNo, clock_.wall()).mine);
}

// The answer to a request that named another's thing unseen made that its own (kind: what is somebody's changes hands
// by no answer).
TEST_F(PinTableTest, WhatIsSomebodysIsNotMadeAgain) {
  using How = PinTable::How;
  const PinnedKey same = {kFirst.service, KeyId{77}, 5};
  const auto made_by_bob = [this](std::string_view id, PinnedKey to, How how) {
    table_.put(kService, "bob", id, to, how, clock_.wall());
    return table_.look_up(kService, "bob", id, PinTable::Sharing::kNo, clock_.wall()).mine;
  };
  put("a");
  put("b", {kFirst.service, kFirst.key, 5});
  EXPECT_FALSE(made_by_bob("a", kFirst, How::kMade));
  EXPECT_FALSE(made_by_bob("b", same, How::kMade)) << "another key of its account";
  EXPECT_FALSE(made_by_bob("a", kSecond, How::kMadeIfNew)) << "nor where it may be a copy";
  EXPECT_TRUE(made_by_bob("c", kSecond, How::kMadeIfNew));
  EXPECT_EQ(find("a"), kFirst);
  clock_.advance(49h);
  EXPECT_TRUE(made_by_bob("a", kFirst, How::kMade)) << "its pin has ended";
}

TEST_F(PinTableTest, AnyIsFalseUntilThereIsAPinAndAfterTheLastOne) {
  EXPECT_FALSE(table_.any(kService));
  put("file-1");
  EXPECT_TRUE(table_.any(kService));
  EXPECT_FALSE(table_.any(ServiceId{2}));
  clock_.advance(49h);
  table_.expire(clock_.wall());
  EXPECT_FALSE(table_.any(kService));
}

TEST_F(PinTableTest, LivesTwoDaysAfterItsLastUse) {
  put("used");
  put("left");
  clock_.advance(47h);
  EXPECT_TRUE(find("used"));
  clock_.advance(47h);
  EXPECT_TRUE(find("used"));
  EXPECT_FALSE(find("left"));
  clock_.advance(48h);
  EXPECT_TRUE(find("used"));
  clock_.advance(48h + PinTable::kRefreshStep);
  EXPECT_FALSE(find("used"));
}

TEST_F(PinTableTest, ChangesAreGivenOnceAndUseWithinAStepIsNone) {
  put("file-1");
  put("file-1");
  ASSERT_EQ(table_.take_changes(10).size(), 1U);
  EXPECT_TRUE(find("file-1"));
  EXPECT_TRUE(table_.take_changes(10).empty());
  clock_.advance(PinTable::kRefreshStep);
  EXPECT_TRUE(find("file-1"));
  const auto changes = table_.take_changes(10);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].expires, clock_.wall() + PinTable::kLife + PinTable::kRefreshStep);
  EXPECT_EQ(changes[0].to, kFirst);
  EXPECT_EQ(changes[0].asked, kService);
}

TEST_F(PinTableTest, WhatCouldNotBeStoredIsGivenAgainAsItIsThen) {
  put("file-1");
  const auto changes = table_.take_changes(10);
  put("file-1", kSecond);
  table_.return_changes(changes);
  const auto again = table_.take_changes(10);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].to, kSecond);
  EXPECT_TRUE(table_.take_changes(10).empty());
}

TEST_F(PinTableTest, ComesBackFromItsRows) {
  put("file-1");
  put("file-2", kSecond);
  const auto rows = table_.take_changes(10);
  PinTable next(kKey);
  next.restore(rows, clock_.wall());
  EXPECT_EQ(find_in(next, kService, "alice", "file-2"), kSecond);
  EXPECT_TRUE(next.take_changes(10).empty());
  EXPECT_TRUE(next.any(kService));

  PinTable other("another key for hashing");
  other.restore(rows, clock_.wall());
  EXPECT_EQ(find_in(other, kService, "alice", "file-2"), std::nullopt);

  PinTable late(kKey);
  late.restore(rows, clock_.wall() + 72h);
  EXPECT_EQ(late.size(), 0U);
}

TEST_F(PinTableTest, DropsTheOldestWhenItIsFull) {
  PinTable small(kKey, 160);  // ten per part
  for (int i = 0; i < 2000; ++i) {
    clock_.advance(1s);
    small.put(kService, "alice", "file-" + std::to_string(i), kFirst, PinTable::How::kMade, clock_.wall());
    if (i == 1) clock_.advance(2min);
    // What is used stays.
    if (i % 50 == 49) {
      clock_.advance(2min);
      EXPECT_TRUE(find_in(small, kService, "alice", "file-0")) << i;
    }
  }
  EXPECT_LE(small.size(), 160U);
  EXPECT_FALSE(find_in(small, kService, "alice", "file-1"));
  EXPECT_TRUE(find_in(small, kService, "alice", "file-1999"));
  // Rows of what was dropped may go.
  EXPECT_GT(small.expire(clock_.wall()), clock_.wall() + 40h);
  EXPECT_LE(small.take_changes(10'000).size(), 160U);
}

// Pins of a deleted key never ended while clients asked: each use renewed them, and no list could replace them.
TEST_F(PinTableTest, WhatIsForgottenIsUnknownHereAndInTheStore) {
  put("file-1");
  put("file-2");
  const auto rows = table_.take_changes(10);
  table_.forget(kService, "alice", "file-1", clock_.wall());
  table_.forget(kService, "alice", "never seen", clock_.wall());
  EXPECT_FALSE(find("file-1"));
  EXPECT_TRUE(find("file-2"));
  const auto changes = table_.take_changes(10);
  ASSERT_EQ(changes.size(), 1U);
  PinTable next(kKey);
  next.restore(changes, clock_.wall());
  EXPECT_EQ(next.size(), 0U) << "its row ends at once";
  put("file-1", kSecond, PinTable::How::kSeen);
  EXPECT_EQ(find("file-1"), kSecond);
  table_.forget(kService, "alice", "file-1", clock_.wall());
  table_.take_changes(10);
  table_.expire(clock_.wall());
  EXPECT_EQ(table_.size(), 1U);
}

// While the store was down the notes for it grew with every new pin, though the pins themselves were bounded.
TEST_F(PinTableTest, TheBacklogIsBounded) {
  PinTable small(kKey, 160);
  for (int i = 0; i < 5000; ++i) {
    small.put(kService, "alice", "file-" + std::to_string(i), kFirst, PinTable::How::kMade, clock_.wall());
    ASSERT_LE(small.backlog(), 320U);
  }
  EXPECT_EQ(small.take_changes(10'000).size(), small.size());
  EXPECT_EQ(small.backlog(), 0U);
}

TEST_F(PinTableTest, HashesAreSpreadAndStable) {
  const PinHasher hasher(kKey);
  std::set<std::uint64_t> parts;
  for (int i = 0; i < 200; ++i) parts.insert(hasher.hash(kService, "a", std::to_string(i)).high % 16);
  EXPECT_EQ(parts.size(), 16U);
  EXPECT_EQ(hasher.hash(kService, "a", "b"), PinHasher(kKey).hash(kService, "a", "b"));
}

TEST_F(PinTableTest, ManyThreads) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 500; ++i) {
        const std::string id = "file-" + std::to_string(i % 50);
        put(id, thread % 2 == 0 ? kFirst : kSecond);
        EXPECT_TRUE(find(id));
        EXPECT_TRUE(table_.any(kService));
        if (i % 100 == 0) table_.return_changes(table_.take_changes(5));
        if (i % 100 == 50) table_.expire(clock_.wall());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(table_.size(), 50U);
}

// Pins of a database from before owners were stored: who made the thing is not known, so it is nobody's.  Its access
// key is still led to the key that has it; others are not shut out, and what one of them makes anew is its own.
TEST_F(PinTableTest, APinWithoutAnOwnerBindsItsAccessKeyAndShutsNobodyOut) {
  const PinHasher hasher(kKey);
  table_.restore({{.asked = kService,
                   .id = hasher.hash(kService, "alice", "file-1"),
                   .to = kFirst,
                   .expires = clock_.wall() + 24h}},
                 clock_.wall());
  const auto look = [&](std::string_view who) {
    return table_.look_up(kService, who, "file-1", PinTable::Sharing::kNo, clock_.wall());
  };
  EXPECT_EQ(look("alice").key, kFirst);
  EXPECT_FALSE(look("alice").mine);
  EXPECT_EQ(look("bob").key, std::nullopt);
  EXPECT_FALSE(look("bob").foreign);
  // It stays so, however often it is used or shown.
  put("file-1", kFirst, PinTable::How::kSeen);
  EXPECT_FALSE(look("bob").foreign);
  // Until it is made again.
  put("file-1", kSecond);
  EXPECT_EQ(look("alice").key, kSecond);
  EXPECT_TRUE(look("alice").mine);
  EXPECT_TRUE(look("bob").foreign);
}

}  // namespace
}  // namespace akr
