// key_store_contracts.hpp - what every KeyStateStore and KeyPinStore promises, as tests.  Included by the test of each
// implementation:
//
//   INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, KeyStateStoreContract, SqliteHarness);    // harness: store_fixture.hpp
//   INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, KeyPinStoreContract, SqliteHarness);
#pragma once

#include "store/store_fixture.hpp"

namespace akr {

template <class Harness>
class KeyStateStoreContract : public StoreFixture<Harness> {
 protected:
  KeyStateStore& store() { return this->database_->key_states(); }

  KeyStateRecord cooling(std::int64_t key) const {
    KeyStateRecord row{.key = KeyId{key}, .state = KeyState::kCooling, .reason = "http_429"};
    row.since = row.usage_at = this->clock_.wall();
    row.until = this->clock_.wall() + std::chrono::minutes(7);
    row.next_try = this->clock_.wall() + std::chrono::minutes(5);
    row.half_open = true;
    row.rate_level = 3;
    row.quota_level = 2;
    row.failures = 9;
    row.used_today = 10;
    row.used_this_month = 5'000'000'000;
    return row;
  }

  static constexpr ServiceId kService{7};
};

TYPED_TEST_SUITE_P(KeyStateStoreContract);

TYPED_TEST_P(KeyStateStoreContract, KeepsEveryFieldOverARestart) {
  const KeyStateRecord given = this->cooling(1);
  ASSERT_TRUE(this->store().save(this->kService, {&given, 1}, {}));
  this->reopen();
  const auto rows = this->store().load(this->kService).value();
  ASSERT_EQ(rows.size(), 1U);
  const KeyStateRecord& row = rows[0];
  EXPECT_EQ(row.key, given.key);
  EXPECT_EQ(row.state, given.state);
  EXPECT_EQ(row.reason, given.reason);
  EXPECT_EQ(row.since, given.since);
  EXPECT_EQ(row.until, given.until);
  EXPECT_EQ(row.next_try, given.next_try);
  EXPECT_EQ(row.half_open, given.half_open);
  EXPECT_EQ(row.rate_level, given.rate_level);
  EXPECT_EQ(row.quota_level, given.quota_level);
  EXPECT_EQ(row.failures, given.failures);
  EXPECT_EQ(row.used_today, given.used_today);
  EXPECT_EQ(row.used_this_month, given.used_this_month);
  EXPECT_EQ(row.usage_at, given.usage_at);
  EXPECT_TRUE(this->store().load(ServiceId{8}).value().empty());
}

TYPED_TEST_P(KeyStateStoreContract, ReplacesByKeyGroupAndModelAndRemovesWhatIsGone) {
  std::vector<KeyStateRecord> rows(4, this->cooling(1));
  rows[1].model = "gpt-4o";
  rows[2].key = KeyId{0};
  rows[2].group = "org";
  rows[3].key = KeyId{0};
  rows[3].group = "org";
  rows[3].model = "gpt-4o";
  ASSERT_TRUE(this->store().save(this->kService, rows, {}));
  rows[1].state = KeyState::kExhausted;
  ASSERT_TRUE(this->store().save(this->kService, {&rows[1], 1}, {&rows[2], 1}));
  this->reopen();
  const auto read = this->store().load(this->kService).value();
  ASSERT_EQ(read.size(), 3U);
  for (const KeyStateRecord& row : read) {
    EXPECT_EQ(row.state, row.key.value == 1 && row.model == "gpt-4o" ? KeyState::kExhausted : KeyState::kCooling);
    EXPECT_FALSE(row.group == "org" && row.model.empty());
  }
}

TYPED_TEST_P(KeyStateStoreContract, TakesMoreThanOneBatch) {
  std::vector<KeyStateRecord> rows;
  for (int i = 1; i <= 2'500; ++i) rows.push_back(this->cooling(i));
  ASSERT_TRUE(this->store().save(this->kService, rows, {}));
  EXPECT_EQ(this->store().load(this->kService).value().size(), rows.size());
  ASSERT_TRUE(this->store().save(this->kService, {}, rows));
  EXPECT_TRUE(this->store().load(this->kService).value().empty());
}

// Clients choose the names of models: servers differ in what they take for the same text, and in what they refuse.
TYPED_TEST_P(KeyStateStoreContract, TellsOddModelsApartAndLeavesOutWhatCannotBeKept) {
  const std::vector<std::string> kept = {"gpt",  "gpt ", "GPT", "gpt\t",    "gpté",
                                         "gpte", "模型", "",    "a'b\\c:d", std::string(255, 'm')};
  std::vector<KeyStateRecord> rows;
  for (const std::string& model : kept) rows.emplace_back(this->cooling(1)).model = model;
  for (const std::string& model : {std::string("a\0b", 3), std::string("\xff"), std::string(256, 'm')}) {
    rows.emplace_back(this->cooling(1)).model = model;
  }
  rows.push_back(rows[0]);  // said twice: the last one counts
  rows.back().failures = 99;
  ASSERT_TRUE(this->store().save(this->kService, rows, {}));
  const auto read = this->store().load(this->kService).value();
  ASSERT_EQ(read.size(), kept.size());
  for (const KeyStateRecord& row : read) {
    EXPECT_NE(std::ranges::find(kept, row.model), kept.end()) << row.model;
    EXPECT_EQ(row.failures == 99, row.model == "gpt");
  }
  ASSERT_TRUE(this->store().save(this->kService, {}, rows));
  EXPECT_TRUE(this->store().load(this->kService).value().empty());
}

TYPED_TEST_P(KeyStateStoreContract, GoesWithItsService) {
  const ServiceId id = this->database_->config().add_service(example_service("a")).value().id;
  const KeyStateRecord row = this->cooling(1);
  ASSERT_TRUE(this->store().save(id, {&row, 1}, {}));
  ASSERT_TRUE(this->database_->config().delete_service(id));
  EXPECT_TRUE(this->store().load(id).value().empty());
}

REGISTER_TYPED_TEST_SUITE_P(KeyStateStoreContract, KeepsEveryFieldOverARestart,
                            ReplacesByKeyGroupAndModelAndRemovesWhatIsGone, TakesMoreThanOneBatch, GoesWithItsService,
                            TellsOddModelsApartAndLeavesOutWhatCannotBeKept);

// What every KeyPinStore promises; the same harness.
template <class Harness>
class KeyPinStoreContract : public StoreFixture<Harness> {
 protected:
  KeyPinStore& store() { return this->database_->key_pins(); }
  KeyPin pin(std::uint64_t id, std::chrono::minutes lives, std::int64_t service = 7) const {
    const std::uint64_t high = id * 0x9e3779b97f4a7c15ULL;
    return {ServiceId{service}, {high, id}, {ServiceId{service}, KeyId{3}}, this->clock_.wall() + lives};
  }
  std::vector<KeyPin> all() { return store().load(this->clock_.wall(), 10'000).value(); }
};

TYPED_TEST_SUITE_P(KeyPinStoreContract);

TYPED_TEST_P(KeyPinStoreContract, KeepsEveryFieldOverARestart) {
  KeyPin given = this->pin(0xfedcba9876543210ULL, std::chrono::minutes(5));
  given.to = {ServiceId{8}, KeyId{5'000'000'000}, 0xfedcba9876543210ULL};
  ASSERT_TRUE(this->store().save({&given, 1}));
  this->reopen();
  const auto read = this->all();
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].asked, given.asked);
  EXPECT_EQ(read[0].id, given.id);
  EXPECT_EQ(read[0].to, given.to);
  EXPECT_EQ(read[0].to.account, given.to.account);
  EXPECT_EQ(read[0].expires, given.expires);
}

TYPED_TEST_P(KeyPinStoreContract, KeepsWhoseItIs) {
  KeyPin given = this->pin(1, std::chrono::minutes(5));
  given.owner = 0xfedcba9876543210ULL;
  ASSERT_TRUE(this->store().save({&given, 1}));
  this->reopen();
  ASSERT_EQ(this->all().size(), 1U);
  EXPECT_EQ(this->all()[0].owner, given.owner);
}

TYPED_TEST_P(KeyPinStoreContract, ReplacesAndGivesTheOnesThatEndFirstInFront) {
  using std::chrono::minutes;
  const KeyPin pins[] = {this->pin(1, minutes(3)), this->pin(2, minutes(2)), this->pin(3, minutes(1))};
  ASSERT_TRUE(this->store().save(pins));
  KeyPin newer = this->pin(2, minutes(9));
  newer.to.key = KeyId{4};
  ASSERT_TRUE(this->store().save({&newer, 1}));
  auto read = this->all();
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].id.low, 3U);
  EXPECT_EQ(read[1].id.low, 1U);
  EXPECT_EQ(read[2].id.low, 2U);
  EXPECT_EQ(read[2].to.key, KeyId{4});
  read = this->store().load(this->clock_.wall() + minutes(1), 1).value();
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].id.low, 2U);
}

TYPED_TEST_P(KeyPinStoreContract, RemovesWhatEndsInChunks) {
  using std::chrono::minutes;
  std::vector<KeyPin> pins;
  for (std::uint64_t i = 1; i <= 2'500; ++i) pins.push_back(this->pin(i, minutes(static_cast<long>(i))));
  ASSERT_TRUE(this->store().save(pins));
  const WallTime before = this->clock_.wall() + minutes(2'001);
  EXPECT_EQ(this->store().remove_before(before, 1'500).value(), 1'500U);
  EXPECT_EQ(this->store().remove_before(before, 1'500).value(), 500U);
  EXPECT_EQ(this->store().remove_before(before, 1'500).value(), 0U);
  const auto left = this->all();
  ASSERT_EQ(left.size(), 500U);
  EXPECT_EQ(left[0].expires, before);
}

TYPED_TEST_P(KeyPinStoreContract, GoesWithItsService) {
  const ServiceId id = this->database_->config().add_service(example_service("a")).value().id;
  const KeyPin pins[] = {this->pin(1, std::chrono::minutes(1), id.value),
                         this->pin(2, std::chrono::minutes(1), id.value + 1)};
  ASSERT_TRUE(this->store().save(pins));
  ASSERT_TRUE(this->database_->config().delete_service(id));
  ASSERT_EQ(this->all().size(), 1U);
  EXPECT_EQ(this->all()[0].id.low, 2U);
}

REGISTER_TYPED_TEST_SUITE_P(KeyPinStoreContract, KeepsEveryFieldOverARestart, KeepsWhoseItIs,
                            ReplacesAndGivesTheOnesThatEndFirstInFront, RemovesWhatEndsInChunks, GoesWithItsService);

}  // namespace akr
