// store_contract.hpp - what every ConfigStore promises, as tests.  Included by the test of each implementation:
//
//   struct SqliteHarness { std::unique_ptr<Database> open(const Clock&); };     // each open(): the same database again
//   INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, ConfigStoreContract, SqliteHarness);
#pragma once

#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "store/database.hpp"
#include "tests/support/example_config.hpp"
#include "tests/support/manual_clock.hpp"

namespace akr {

template <class Harness>
class ConfigStoreContract : public testing::Test {
 protected:
  void SetUp() override { reopen(); }
  void reopen() {
    database_.reset();
    database_ = harness_.open(clock_);
    ASSERT_TRUE(database_);
  }
  ConfigStore& store() { return database_->config(); }
  Service add(const std::string& slug) { return store().add_service(example_service(slug)).value(); }

  Harness harness_;
  ManualClock clock_;
  std::unique_ptr<Database> database_;
};

TYPED_TEST_SUITE_P(ConfigStoreContract);

TYPED_TEST_P(ConfigStoreContract, KeepsEveryFieldOfAService) {
  for (const Service& given : {example_service("rest"), example_llm_service("llm")}) {
    const Service added = this->store().add_service(given).value();
    this->reopen();
    const Service read = this->store().find_service(added.id).value();
    EXPECT_EQ(read.revision, 1);
    EXPECT_EQ(read.name, given.name);
    EXPECT_EQ(read.slug, given.slug);
    EXPECT_EQ(read.type, given.type);
    EXPECT_EQ(read.active, given.active);
    EXPECT_EQ(read.target_url, given.target_url);
    EXPECT_EQ(read.methods, given.methods);
    EXPECT_EQ(read.api_format, given.api_format);
    EXPECT_EQ(read.output_format, given.output_format);
    ASSERT_EQ(read.key_placement.has_value(), given.key_placement.has_value());
    if (given.key_placement) {
      EXPECT_EQ(read.key_placement->location, given.key_placement->location);
      EXPECT_EQ(read.key_placement->name, given.key_placement->name);
      EXPECT_EQ(read.key_placement->prefix, given.key_placement->prefix);
    }
    EXPECT_EQ(read.egress_proxy, given.egress_proxy);
    EXPECT_EQ(read.timeouts.connect, given.timeouts.connect);
    EXPECT_EQ(read.timeouts.first_byte, given.timeouts.first_byte);
    EXPECT_EQ(read.timeouts.stream_idle, given.timeouts.stream_idle);
    EXPECT_EQ(read.timeouts.total, given.timeouts.total);
    EXPECT_EQ(read.retry.max_attempts, given.retry.max_attempts);
    EXPECT_EQ(read.retry.budget, given.retry.budget);
    EXPECT_EQ(read.retry.retry_non_idempotent, given.retry.retry_non_idempotent);
    EXPECT_EQ(read.selection_policy, given.selection_policy);
    EXPECT_EQ(read.auto_disable, given.auto_disable);
    EXPECT_EQ(read.accept_body_key, given.accept_body_key);
    EXPECT_EQ(read.stream_uploads, given.stream_uploads);
    EXPECT_EQ(read.allow_set_cookie, given.allow_set_cookie);
    EXPECT_EQ(read.created_at, this->clock_.wall());
    EXPECT_EQ(read.updated_at, this->clock_.wall());
  }
}

TYPED_TEST_P(ConfigStoreContract, AnyMethodComesBackAsAnyMethod) {
  Service service = example_service("any");
  service.methods.clear();
  const ServiceId id = this->store().add_service(service).value().id;
  EXPECT_TRUE(this->store().find_service(id).value().methods.empty());
}

TYPED_TEST_P(ConfigStoreContract, UpdatesOnlyTheRevisionThatWasRead) {
  Service service = this->add("a");
  this->clock_.advance(std::chrono::seconds(5));
  service.slug = "b";
  service.egress_proxy = "http://proxy:3128";
  const Service updated = this->store().update_service(service).value();
  EXPECT_EQ(updated.revision, 2);
  const Service read = this->store().find_service(service.id).value();
  EXPECT_EQ(read.revision, 2);
  EXPECT_EQ(read.slug, "b");
  EXPECT_EQ(read.egress_proxy, "http://proxy:3128");
  EXPECT_EQ(read.updated_at - read.created_at, std::chrono::seconds(5));
  const auto stale = this->store().update_service(service);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, ErrorCode::kConflict);
  EXPECT_EQ(stale.error().field, "revision");
}

TYPED_TEST_P(ConfigStoreContract, NamesTheFieldThatIsTaken) {
  this->add("a");
  Service other = example_service("a");
  other.name = "other";
  auto refused = this->store().add_service(other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(refused.error().field, "slug");
  other = this->add("b");
  other.name = "Service a";
  refused = this->store().update_service(other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(refused.error().field, "name");
  EXPECT_EQ(this->store().list_services().value().size(), 2U);
}

TYPED_TEST_P(ConfigStoreContract, SaysNotFoundForWhatIsNotThere) {
  ConfigStore& store = this->store();
  const ServiceId service{99};
  Service ghost = example_service("ghost");
  ghost.id = service;
  EXPECT_EQ(store.find_service(service).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store.update_service(ghost).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store.delete_service(service).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store.add_keys(service, example_keys(1)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store.delete_keys(service).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store.set_key_enabled(KeyId{99}, true).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store.delete_key(KeyId{99}).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(store.list_keys(service).value().empty());
}

TYPED_TEST_P(ConfigStoreContract, KeepsKeysInOrderAndReportsDuplicates) {
  const ServiceId id = this->add("a").id;
  std::vector<NewKey> keys = {{Secret("k-one"), true}, {Secret("k-two"), false}, {Secret("k-one"), true}};
  auto added = this->store().add_keys(id, keys).value();
  ASSERT_EQ(added.size(), 3U);
  EXPECT_FALSE(added[0].duplicate);
  EXPECT_TRUE(added[2].duplicate);
  EXPECT_EQ(added[2].id, added[0].id);
  added = this->store().add_keys(id, keys).value();
  for (const AddedKey& key : added) EXPECT_TRUE(key.duplicate);
  this->reopen();
  const auto read = this->store().list_keys(id).value();
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].secret.expose(), "k-one");
  EXPECT_TRUE(read[0].enabled);
  EXPECT_EQ(read[1].secret.expose(), "k-two");
  EXPECT_FALSE(read[1].enabled);
  EXPECT_EQ(read[1].service, id);
  EXPECT_TRUE(read[1].readable);
}

TYPED_TEST_P(ConfigStoreContract, TheSameKeyMayServeTwoServices) {
  const ServiceId a = this->add("a").id, b = this->add("b").id;
  EXPECT_FALSE(this->store().add_keys(a, example_keys(1)).value()[0].duplicate);
  EXPECT_FALSE(this->store().add_keys(b, example_keys(1)).value()[0].duplicate);
  EXPECT_EQ(this->store().list_keys(a).value().size(), 1U);
}

TYPED_TEST_P(ConfigStoreContract, SwitchesAndDeletesKeys) {
  const ServiceId id = this->add("a").id;
  const auto added = this->store().add_keys(id, example_keys(3)).value();
  const UpstreamKey off = this->store().set_key_enabled(added[1].id, false).value();
  EXPECT_FALSE(off.enabled);
  EXPECT_EQ(off.service, id);
  EXPECT_EQ(off.secret.expose(), "sk-test-100001");
  EXPECT_EQ(this->store().delete_key(added[0].id).value(), id);
  EXPECT_EQ(this->store().list_keys(id).value().size(), 2U);
  EXPECT_EQ(this->store().delete_keys(id).value(), 2U);
  EXPECT_EQ(this->store().delete_keys(id).value(), 0U);
}

TYPED_TEST_P(ConfigStoreContract, NeverGivesOutAKeyIdTwice) {
  const ServiceId id = this->add("a").id;
  const KeyId first = this->store().add_keys(id, example_keys(1)).value()[0].id;
  this->store().delete_keys(id).value();
  this->reopen();
  EXPECT_GT(this->store().add_keys(id, example_keys(1)).value()[0].id, first);
}

TYPED_TEST_P(ConfigStoreContract, DeletingAServiceTakesItsKeysAlong) {
  const ServiceId a = this->add("a").id, b = this->add("b").id;
  this->store().add_keys(a, example_keys(3)).value();
  this->store().add_keys(b, example_keys(2)).value();
  EXPECT_TRUE(this->store().delete_service(a));
  EXPECT_TRUE(this->store().list_keys(a).value().empty());
  EXPECT_EQ(this->store().list_keys(b).value().size(), 2U);
  EXPECT_EQ(this->store().list_services().value().size(), 1U);
}

TYPED_TEST_P(ConfigStoreContract, TextIsOnlyText) {
  Service service = example_service("a");
  for (const char* name : {"x'); DROP TABLE api_keys; --", "100%_", "名字 \xF0\x9F\x94\x91", ":id ?1 $2"}) {
    service.name = name;
    service.slug = name;
    const ServiceId id = this->store().add_service(service).value().id;
    EXPECT_EQ(this->store().find_service(id).value().name, name);
    this->store().add_keys(id, std::vector<NewKey>{{Secret(name), true}}).value();
    EXPECT_EQ(this->store().list_keys(id).value()[0].secret.expose(), name);
  }
}

TYPED_TEST_P(ConfigStoreContract, ParallelWritersAllSucceed) {
  const ServiceId id = this->add("a").id;
  std::atomic<int> failures = 0;
  std::vector<std::thread> writers;
  for (int t = 0; t < 64; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < 3; ++i) {
        const auto keys = example_keys(2, "k" + std::to_string(t) + "-" + std::to_string(i) + "-");
        if (!this->store().add_keys(id, keys)) ++failures;
        if (!this->store().list_services()) ++failures;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(this->store().list_keys(id).value().size(), 64U * 3 * 2);
}

REGISTER_TYPED_TEST_SUITE_P(ConfigStoreContract, KeepsEveryFieldOfAService, AnyMethodComesBackAsAnyMethod,
                            UpdatesOnlyTheRevisionThatWasRead, NamesTheFieldThatIsTaken, SaysNotFoundForWhatIsNotThere,
                            KeepsKeysInOrderAndReportsDuplicates, TheSameKeyMayServeTwoServices, SwitchesAndDeletesKeys,
                            NeverGivesOutAKeyIdTwice, DeletingAServiceTakesItsKeysAlong, TextIsOnlyText,
                            ParallelWritersAllSucceed);

}  // namespace akr
