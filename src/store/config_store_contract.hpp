// config_store_contract.hpp - what every ConfigStore promises, as tests.  Included by the test of each implementation:
//
//   INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, ConfigStoreContract, SqliteHarness);      // harness: store_fixture.hpp
#pragma once

#include <thread>

#include <boost/json.hpp>

#include "core/outcome/failure_rules_json.hpp"
#include "store/store_fixture.hpp"
#include "tests/support/example_config.hpp"

namespace akr {

inline std::string write_failure_rules(std::span<const FailureRule> rules) {
  return boost::json::serialize(failure_rules_to_json(rules));
}

template <class Harness>
class ConfigStoreContract : public StoreFixture<Harness> {
 protected:
  ConfigStore& store() { return this->database_->config(); }
  Service add(const std::string& slug) { return store().add_service(example_service(slug)).value(); }
};

TYPED_TEST_SUITE_P(ConfigStoreContract);

TYPED_TEST_P(ConfigStoreContract, KeepsEveryFieldOfAService) {
  Service probed = example_service("probed");  // LLM services have no path of their own
  probed.validation_path = "/account";
  for (const Service& given : {example_service("rest"), example_llm_service("llm"), probed}) {
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
    EXPECT_EQ(read.invalid_after, given.invalid_after);
    EXPECT_EQ(read.outage_guard, given.outage_guard);
    EXPECT_EQ(read.wait_for_key, given.wait_for_key);
    EXPECT_EQ(write_failure_rules(read.failure_rules), write_failure_rules(given.failure_rules));
    EXPECT_EQ(read.upstreams, given.upstreams);
    EXPECT_EQ(read.fallbacks, given.fallbacks);
    EXPECT_EQ(read.affinity_rules, given.affinity_rules);
    EXPECT_EQ(read.validation_path, given.validation_path);
    EXPECT_EQ(read.retry_on_empty, given.retry_on_empty);
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
  service.upstreams = {{.url = service.target_url}, {.url = "https://b.example", .weight = 0, .priority = 2}};
  service.fallbacks = {ServiceId{7}};
  service.affinity_rules = {{.created = {"/id"}}};
  service.validation_path = "/account";
  service.retry_on_empty = true;
  const Service updated = this->store().update_service(service).value();
  EXPECT_EQ(updated.revision, 2);
  const Service read = this->store().find_service(service.id).value();
  EXPECT_EQ(read.revision, 2);
  EXPECT_EQ(read.slug, "b");
  EXPECT_EQ(read.egress_proxy, "http://proxy:3128");
  EXPECT_EQ(read.upstreams, service.upstreams);
  EXPECT_EQ(read.fallbacks, service.fallbacks);
  EXPECT_EQ(read.affinity_rules, service.affinity_rules);
  EXPECT_EQ(read.validation_path, service.validation_path);
  EXPECT_TRUE(read.retry_on_empty);
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
  EXPECT_EQ(store.find_key(KeyId{99}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store.edit_key(KeyId{99}, [](UpstreamKey&) -> Result<void> { return {}; }).error().code,
            ErrorCode::kNotFound);
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

// Which of many keys are there already is asked in parts: each part's answer must reach its own keys.
TYPED_TEST_P(ConfigStoreContract, FindsEveryDuplicateOfALargeImport) {
  const ServiceId id = this->add("a").id;
  this->store().add_keys(this->add("b").id, example_keys(1'300)).value();  // the same ones elsewhere
  const auto keys = example_keys(1'300);
  const auto before = this->store().add_keys(id, std::span(keys).subspan(0, 1'250)).value();
  const auto after = this->store().add_keys(id, keys).value();
  ASSERT_EQ(after.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(after[i].duplicate, i < before.size()) << i;
    if (i < before.size()) EXPECT_EQ(after[i].id, before[i].id) << i;
  }
  EXPECT_EQ(this->store().list_keys(id).value().size(), keys.size());
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
  const auto switch_off = [](UpstreamKey& key) -> Result<void> {
    key.enabled = false;
    return {};
  };
  const UpstreamKey off = this->store().edit_key(added[1].id, switch_off).value();
  EXPECT_FALSE(off.enabled);
  EXPECT_EQ(off.service, id);
  EXPECT_EQ(off.secret.expose(), "sk-test-100001");
  EXPECT_EQ(this->store().delete_key(added[0].id).value(), id);
  EXPECT_EQ(this->store().list_keys(id).value().size(), 2U);
  EXPECT_EQ(this->store().delete_keys(id).value(), 2U);
  EXPECT_EQ(this->store().delete_keys(id).value(), 0U);
}

TYPED_TEST_P(ConfigStoreContract, KeepsWhatPeopleSetOnAKey) {
  const ServiceId id = this->add("a").id;
  NewKey given{.secret = Secret("sk-1"), .note = "team a", .weight = 3, .priority = -2, .group = "org"};
  given.limits = {.rpm = 1, .tpm = 5'000'000'000, .rpd = 3, .max_concurrency = 4, .monthly_quota = 5};
  const KeyId key = this->store().add_keys(id, {&given, 1}).value()[0].id;
  this->reopen();
  UpstreamKey read = this->store().list_keys(id).value()[0];
  EXPECT_EQ(read.note, "team a");
  EXPECT_EQ(read.weight, 3U);
  EXPECT_EQ(read.priority, -2);
  EXPECT_EQ(read.group, "org");
  EXPECT_EQ(read.limits, given.limits);
  const KeyLimits limits{.tpm = 7, .monthly_reset_day = 28};
  const auto change = [&](UpstreamKey& edited) -> Result<void> {
    edited.note = edited.group = "";
    edited.weight = 0;
    edited.limits = limits;
    return {};
  };
  ASSERT_TRUE(this->store().edit_key(key, change));
  this->reopen();
  read = this->store().find_key(key).value();
  EXPECT_EQ(read.secret.expose(), "sk-1");
  EXPECT_EQ(read.note, "");
  EXPECT_EQ(read.group, "");
  EXPECT_EQ(read.weight, 0U);
  EXPECT_EQ(read.priority, -2);
  EXPECT_EQ(read.limits, limits);
  EXPECT_TRUE(read.enabled);
}

TYPED_TEST_P(ConfigStoreContract, ARefusedEditWritesNothing) {
  const ServiceId id = this->add("a").id;
  const KeyId key = this->store().add_keys(id, example_keys(1)).value()[0].id;
  const auto refused = this->store().edit_key(key, [](UpstreamKey& edited) -> Result<void> {
    edited.weight = 9;
    return Error{.code = ErrorCode::kInvalid, .message = "no", .field = "weight"};
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "weight");
  EXPECT_EQ(this->store().find_key(key).value().weight, 1U);
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
  writers.reserve(64);
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

TYPED_TEST_P(ConfigStoreContract, ListsWhatWasAddedAfterAKey) {
  const ServiceId id = this->add("a").id;
  const ServiceId other = this->add("b").id;
  const auto add = [&](ServiceId service, const char* text) {
    const NewKey key{Secret(text)};
    return this->store().add_keys(service, {&key, 1}).value().front().id;
  };
  const KeyId first = add(id, "key-1");
  add(other, "key-of-another");
  const KeyId second = add(id, "key-2");
  const KeyId third = add(id, "key-3");
  const auto later = this->store().list_keys_after(id, first).value();
  ASSERT_EQ(later.size(), 2U);
  EXPECT_EQ(later[0].id, second);
  EXPECT_EQ(later[0].secret.expose(), "key-2");
  EXPECT_EQ(later[1].id, third);
  EXPECT_EQ(this->store().list_keys_after(id, KeyId{0}).value().size(), 3U);
  EXPECT_TRUE(this->store().list_keys_after(id, third).value().empty());
  EXPECT_TRUE(this->store().list_keys_after(ServiceId{99}, KeyId{0}).value().empty());
  // An id is never given twice, so that nothing slips in below.
  ASSERT_TRUE(this->store().delete_key(third));
  EXPECT_GT(add(id, "key-4"), third);
}

REGISTER_TYPED_TEST_SUITE_P(ConfigStoreContract, ListsWhatWasAddedAfterAKey, FindsEveryDuplicateOfALargeImport,
                            KeepsEveryFieldOfAService, AnyMethodComesBackAsAnyMethod, UpdatesOnlyTheRevisionThatWasRead,
                            NamesTheFieldThatIsTaken, SaysNotFoundForWhatIsNotThere,
                            KeepsKeysInOrderAndReportsDuplicates, TheSameKeyMayServeTwoServices, SwitchesAndDeletesKeys,
                            KeepsWhatPeopleSetOnAKey, ARefusedEditWritesNothing, NeverGivesOutAKeyIdTwice,
                            DeletingAServiceTakesItsKeysAlong, TextIsOnlyText, ParallelWritersAllSucceed);

}  // namespace akr
