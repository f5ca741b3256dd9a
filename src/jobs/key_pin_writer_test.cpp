#include "jobs/key_pin_writer.hpp"

#include <gtest/gtest.h>

#include "store/open.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;

constexpr ServiceId kService{1};
constexpr PinnedKey kKey{kService, KeyId{2}};

// Counts what is asked of it, and fails on demand.
class WatchedStore final : public KeyPinStore {
 public:
  explicit WatchedStore(KeyPinStore& store) : store_(store) {}
  Result<std::vector<KeyPin>> load(WallTime now, std::size_t most) override {
    if (failing) return Error{ErrorCode::kStoreUnavailable, "down"};
    return store_.load(now, most);
  }
  Result<void> save(std::span<const KeyPin> pins) override {
    ++saves;
    if (failing) return Error{ErrorCode::kStoreUnavailable, "down"};
    return store_.save(pins);
  }
  Result<std::size_t> remove_before(WallTime time, std::size_t most) override {
    auto count = store_.remove_before(time, most);
    removed += count ? *count : 0;
    return count;
  }
  bool failing = false;
  int saves = 0;
  std::size_t removed = 0;

 private:
  KeyPinStore& store_;
};

class KeyPinWriterTest : public testing::Test {
 protected:
  // A process: its own table and writer over the database that stays.
  struct Process {
    Process(Database& database, const Clock& clock) : store(database.key_pins()), writer(store, table, clock) {}
    PinTable table{"a key for hashing that is long"};
    WatchedStore store;
    KeyPinWriter writer;
  };

  void SetUp() override {
    StoreOptions options;
    options.at = sqlite_file(directory_.file("pins.db"));
    options.encryption_key = Secret("key-key-key-key-key-key-key-key-");
    options.clock = &clock_;
    database_ = open_database(options).value();
  }
  void put(Process& process, const std::string& id) {
    process.table.put(kService, "a", id, kKey, PinTable::How::kMade, clock_.wall());
  }
  bool knows(Process& process, const std::string& id) {
    return process.table.look_up(kService, "a", id, PinTable::Sharing::kNo, clock_.wall()).key == kKey;
  }

  TempDir directory_;
  ManualClock clock_;
  std::unique_ptr<Database> database_;
};

TEST_F(KeyPinWriterTest, TheNextProcessKnowsThem) {
  Process first(*database_, clock_);
  ASSERT_TRUE(first.writer.restore());
  put(first, "file-1");
  ASSERT_TRUE(first.writer.write_changes());
  Process next(*database_, clock_);
  ASSERT_TRUE(next.writer.restore());
  EXPECT_TRUE(knows(next, "file-1"));
  EXPECT_FALSE(knows(next, "file-2"));
}

TEST_F(KeyPinWriterTest, WritesOnlyWhatChanged) {
  Process process(*database_, clock_);
  put(process, "file-1");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(process.writer.write_changes());
  EXPECT_EQ(process.store.saves, 1);
  EXPECT_TRUE(knows(process, "file-1"));
  ASSERT_TRUE(process.writer.write_changes());
  EXPECT_EQ(process.store.saves, 1);
}

TEST_F(KeyPinWriterTest, AUseProlongsTheStoredPin) {
  Process process(*database_, clock_);
  put(process, "file-1");
  ASSERT_TRUE(process.writer.write_changes());
  clock_.advance(40h);
  EXPECT_TRUE(knows(process, "file-1"));
  ASSERT_TRUE(process.writer.write_changes());
  clock_.advance(40h);
  Process next(*database_, clock_);
  ASSERT_TRUE(next.writer.restore());
  EXPECT_TRUE(knows(next, "file-1"));
}

TEST_F(KeyPinWriterTest, TriesAgainWhatCouldNotBeStoredOrRead) {
  Process process(*database_, clock_);
  process.store.failing = true;
  EXPECT_FALSE(process.writer.restore());
  put(process, "file-1");
  EXPECT_FALSE(process.writer.write_changes());
  process.store.failing = false;
  ASSERT_TRUE(process.writer.restore());
  process.store.failing = true;
  EXPECT_FALSE(process.writer.write_changes());
  process.store.failing = false;
  clock_.advance(kPinPause);
  ASSERT_TRUE(process.writer.write_changes());
  Process next(*database_, clock_);
  ASSERT_TRUE(next.writer.restore());
  EXPECT_TRUE(knows(next, "file-1"));
}

// On a full disk five transactions failed per second, with an error line each.
TEST_F(KeyPinWriterTest, AfterAFailureTheStoreIsLeftAlone) {
  Process process(*database_, clock_);
  ASSERT_TRUE(process.writer.restore());
  process.store.failing = true;
  put(process, "file-1");
  for (int second = 0; second < 10; ++second) {
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(process.writer.write_changes());
    clock_.advance(1s);
  }
  EXPECT_EQ(process.store.saves, 2);
  EXPECT_FALSE(process.writer.write_changes());
  process.store.failing = false;
  EXPECT_FALSE(process.writer.write_changes()) << "the failure is still the last word";
  ASSERT_TRUE(process.writer.write_now());
  put(process, "file-2");
  ASSERT_TRUE(process.writer.write_changes());
  EXPECT_EQ(process.store.saves, 5);
}

TEST_F(KeyPinWriterTest, ExpiredRowsGo) {
  Process process(*database_, clock_);
  for (int i = 0; i < 2'500; ++i) put(process, "file-" + std::to_string(i));
  ASSERT_TRUE(process.writer.write_changes());
  EXPECT_EQ(process.store.removed, 0U);
  clock_.advance(49h);
  put(process, "young");
  ASSERT_TRUE(process.writer.write_changes());
  EXPECT_EQ(process.store.removed, 2'500U);
  EXPECT_EQ(process.table.size(), 1U);
  EXPECT_EQ(database_->key_pins().load(clock_.wall(), 10).value().size(), 1U);
}

}  // namespace
}  // namespace akr
