#include "jobs/key_state_writer.hpp"

#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"
#include "store/open.hpp"
#include "tests/support/example_config.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;

// Counts what is written, and fails on demand.
class WatchedStore final : public KeyStateStore {
 public:
  explicit WatchedStore(KeyStateStore& store) : store_(store) {}
  Result<std::vector<KeyStateRecord>> load(ServiceId service) override {
    if (failing) return Error{ErrorCode::kStoreUnavailable, "down"};
    return store_.load(service);
  }
  Result<void> save(ServiceId service, std::span<const KeyStateRecord> changed,
                    std::span<const KeyStateRecord> gone) override {
    if (failing) return Error{ErrorCode::kStoreUnavailable, "down"};
    written += changed.size();
    removed += gone.size();
    return store_.save(service, changed, gone);
  }
  bool failing = false;
  std::size_t written = 0;
  std::size_t removed = 0;

 private:
  KeyStateStore& store_;
};

class KeyStateWriterTest : public testing::Test {
 protected:
  // A process: its own pool and writer over the database that stays.
  struct Process {
    Process(Database& database, const Clock& clock)
        : store(database.key_states()),
          writer(
              store, [this] { return pools(); }, clock) {
      pool->configure({}).value();
      pool->set_wall_clock(clock.now(), clock.wall(), 0s);
      pool->replace_keys(pool_test::make_keys(3));
    }
    std::vector<ServicePool> pools() const { return {{kService, pool}}; }

    std::shared_ptr<KeyPool> pool = std::make_shared<KeyPool>(7);
    WatchedStore store;
    KeyStateWriter writer;
  };

  void fail(Process& process, std::int64_t key, const Verdict& verdict, std::string_view model = {}) {
    pool_test::take(*process.pool, key, 3, clock_.now(), model).value().report(verdict, clock_.now());
  }
  KeyState state(Process& process, std::int64_t key) { return pool_test::state(*process.pool, key, clock_.now()); }
  std::size_t rows() { return database_->key_states().load(kService).value().size(); }

  static constexpr ServiceId kService{7};
  ManualClock clock_;
  TempDir directory_;
  std::unique_ptr<Database> database_ = open_database({.at = sqlite_file(directory_.file("test.db")),
                                                       .encryption_key = Secret(std::string(32, 'k')),
                                                       .clock = &clock_})
                                            .value();
};

TEST_F(KeyStateWriterTest, StatesSurviveARestart) {
  {
    Process before(*database_, clock_);
    ASSERT_TRUE(before.writer.restore());
    fail(before, 1, pool_test::cool_for(600s));
    fail(before, 2, pool_test::invalid());
    fail(before, 3, pool_test::cool_for(600s, Scope::kKeyModel), "gpt-4o");
    ASSERT_TRUE(before.writer.write_changes());
  }
  clock_.advance(100s);
  Process after(*database_, clock_);
  ASSERT_TRUE(after.writer.restore());
  EXPECT_EQ(state(after, 1), KeyState::kCooling);
  EXPECT_EQ(state(after, 2), KeyState::kInvalid);
  EXPECT_EQ(state(after, 3), KeyState::kActive);
  const auto status = after.pool->status(KeyId{1}, clock_.now());
  EXPECT_EQ(status->reason, "http_429");
  EXPECT_NEAR(std::chrono::duration<double>(*status->until - clock_.now()).count(), 500, 3);
  EXPECT_EQ(pool_test::pick(*after.pool, clock_.now()), 3);
  EXPECT_FALSE(after.pool->select({.model = "gpt-4o"}, clock_.now()));
  clock_.advance(510s);
  EXPECT_TRUE(after.pool->select({.model = "gpt-4o"}, clock_.now()));
}

TEST_F(KeyStateWriterTest, WritesOnlyWhatChanged) {
  Process process(*database_, clock_);
  ASSERT_TRUE(process.writer.restore());
  fail(process, 1, pool_test::cool_for(600s));
  fail(process, 2, pool_test::cool_for(600s));
  ASSERT_TRUE(process.writer.write_changes());
  EXPECT_EQ(process.store.written, 2U);
  clock_.advance(1s);
  ASSERT_TRUE(process.writer.write_changes());
  EXPECT_EQ(process.store.written, 2U);
  fail(process, 3, pool_test::cool_for(600s));
  ASSERT_TRUE(process.writer.write_changes());
  EXPECT_EQ(process.store.written, 3U);
  EXPECT_EQ(process.store.removed, 0U);
}

TEST_F(KeyStateWriterTest, AResetAndADeletedKeyLeaveNoRow) {
  Process process(*database_, clock_);
  ASSERT_TRUE(process.writer.restore());
  fail(process, 1, pool_test::invalid());
  fail(process, 2, pool_test::invalid());
  ASSERT_TRUE(process.writer.write_changes());
  EXPECT_EQ(rows(), 2U);
  const KeyId first{1};
  process.pool->reset({&first, 1}, clock_.now());
  ASSERT_TRUE(process.writer.write_changes());
  EXPECT_EQ(rows(), 1U);
  process.pool->replace_keys(pool_test::make_keys(1));
  ASSERT_TRUE(process.writer.write_changes());
  EXPECT_EQ(rows(), 0U);
}

TEST_F(KeyStateWriterTest, WhatAFailingStoreDidNotTakeIsWrittenLater) {
  Process process(*database_, clock_);
  ASSERT_TRUE(process.writer.restore());
  fail(process, 1, pool_test::invalid());
  process.store.failing = true;
  EXPECT_EQ(process.writer.write_changes().error().code, ErrorCode::kStoreUnavailable);
  process.store.failing = false;
  ASSERT_TRUE(process.writer.write_changes());
  EXPECT_EQ(rows(), 1U);
}

TEST_F(KeyStateWriterTest, StatesThatCouldNotBeReadAtTheStartComeLaterAndAreNotOverwritten) {
  {
    Process before(*database_, clock_);
    ASSERT_TRUE(before.writer.restore());
    fail(before, 1, pool_test::invalid());
    ASSERT_TRUE(before.writer.write_changes());
  }
  Process after(*database_, clock_);
  after.store.failing = true;
  EXPECT_FALSE(after.writer.restore());
  fail(after, 2, pool_test::invalid());
  EXPECT_FALSE(after.writer.write_changes());
  after.store.failing = false;
  ASSERT_TRUE(after.writer.write_changes());
  EXPECT_EQ(state(after, 1), KeyState::kInvalid);
  EXPECT_EQ(state(after, 2), KeyState::kInvalid);
  EXPECT_EQ(rows(), 2U);
}

TEST_F(KeyStateWriterTest, ManyKeysAreCarriedOver) {
  constexpr int kMany = 20'000;
  const auto keys = pool_test::make_keys(kMany);
  {
    Process before(*database_, clock_);
    before.pool->replace_keys(keys);
    for (int i = 0; i < kMany; ++i) {
      before.pool->select({}, clock_.now()).value().report(pool_test::cool_for(600s), clock_.now());
    }
    ASSERT_TRUE(before.writer.write_changes());
  }
  Process after(*database_, clock_);
  after.pool->replace_keys(keys);
  ASSERT_TRUE(after.writer.restore());
  EXPECT_EQ(after.pool->counts(clock_.now()).cooling, static_cast<std::size_t>(kMany));
}

}  // namespace
}  // namespace akr
