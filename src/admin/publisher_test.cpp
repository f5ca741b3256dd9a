#include "admin/publisher.hpp"

#include <gtest/gtest.h>

#include "admin/known_formats.hpp"
#include "cluster/open.hpp"
#include "store/open.hpp"
#include "tests/support/example_config.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr {
namespace {

// Counts what is read, and fails on demand.
class WatchedStore final : public ConfigStore {
 public:
  explicit WatchedStore(ConfigStore& store) : store_(store) {}
  Result<std::vector<Service>> list_services() override {
    if (failing) return Error{ErrorCode::kStoreUnavailable, "down"};
    auto services = store_.list_services();
    for (Service& service : *services) {
      if (adjust) adjust(service);
    }
    return services;
  }
  Result<std::vector<UpstreamKey>> list_keys(ServiceId id) override {
    if (failing) return Error{ErrorCode::kStoreUnavailable, "down"};
    ++key_reads;
    return store_.list_keys(id);
  }
  Result<std::vector<UpstreamKey>> list_keys_after(ServiceId id, KeyId after) override {
    if (failing) return Error{ErrorCode::kStoreUnavailable, "down"};
    auto keys = store_.list_keys_after(id, after);
    if (keys) keys_appended += keys->size();
    return keys;
  }
  Result<Service> find_service(ServiceId id) override { return store_.find_service(id); }
  Result<Service> add_service(const Service& service) override { return store_.add_service(service); }
  Result<Service> update_service(const Service& service) override { return store_.update_service(service); }
  Result<void> delete_service(ServiceId id) override { return store_.delete_service(id); }
  Result<std::vector<AddedKey>> add_keys(ServiceId id, std::span<const NewKey> keys) override {
    return store_.add_keys(id, keys);
  }
  Result<UpstreamKey> find_key(KeyId id) override { return store_.find_key(id); }
  Result<UpstreamKey> edit_key(KeyId id, const KeyEdit& edit) override { return store_.edit_key(id, edit); }
  Result<ServiceId> delete_key(KeyId id) override { return store_.delete_key(id); }
  Result<std::size_t> delete_keys(ServiceId id) override { return store_.delete_keys(id); }

  bool failing = false;
  int key_reads = 0;
  std::size_t keys_appended = 0;
  std::function<void(Service&)> adjust;  // of what was read

 private:
  ConfigStore& store_;
};

class CountingCluster final : public ClusterState {
 public:
  std::uint64_t next(ServiceId) override { return 0; }
  void share_cooldown(KeyId, TimePoint) override {}
  void announce() override { ++announced; }
  void on_announce(std::function<void()>) override {}
  int announced = 0;
};

class PublisherTest : public testing::Test {
 protected:
  Service add(const Service& service) {
    Service stored = store_.add_service(service).value();
    EXPECT_TRUE(publisher_.service_changed());
    return stored;
  }
  std::shared_ptr<KeyPool> pool_of(const std::string& target) { return table_->match(target).value().service->keys; }

  TempDir directory_;
  ManualClock clock_;
  std::unique_ptr<Database> database_ =
      open_database({.at = sqlite_file(directory_.file("test.db")), .encryption_key = Secret(std::string(32, 'k'))})
          .value();
  WatchedStore store_{database_->config()};
  CountingCluster cluster_;
  std::shared_ptr<const RoutingTable> table_;
  Publisher publisher_{store_, cluster_, ValidationPolicy{.formats = known_formats()},
                       [this](auto table) { table_ = std::move(table); }, clock_};
};

// Adding 1,000 keys to a pool of 100,000 took 26 times as long as to an empty one: every addition read and opened all
// keys of the service again.  Stands for: the cost of a change is that of what changed.
TEST_F(PublisherTest, AnAdditionReadsTheNewKeysOnly) {
  const ServiceId id = add(example_service("rest")).id;
  const auto add_key = [&](const char* text, const std::string& group = "") {
    NewKey key{Secret(text)};
    key.group = group;
    const auto added = store_.add_keys(id, {&key, 1}).value();
    return added.front().id;
  };
  add_key("key-1");
  ASSERT_TRUE(publisher_.keys_added(id));  // the first ones: there is no pool to append to
  const int reads = store_.key_reads;
  store_.keys_appended = 0;
  add_key("key-2");
  add_key("key-3");
  ASSERT_TRUE(publisher_.keys_added(id));
  ASSERT_TRUE(publisher_.keys_added(id));  // nothing new
  EXPECT_EQ(store_.key_reads, reads);
  EXPECT_EQ(store_.keys_appended, 2U);
  EXPECT_EQ(publisher_.pool(id)->counts(clock_.now()).total, 3U);

  // What was owed when the store failed is paid later.
  add_key("key-4");
  store_.failing = true;
  EXPECT_FALSE(publisher_.keys_added(id));
  store_.failing = false;
  EXPECT_TRUE(publisher_.retry());
  EXPECT_EQ(publisher_.pool(id)->counts(clock_.now()).total, 4U);
  EXPECT_EQ(store_.key_reads, reads);

  // A key that changes the pool's tables: all are read, once.
  const KeyId last = add_key("key-5", "group");
  ASSERT_TRUE(publisher_.keys_added(id));
  EXPECT_EQ(store_.key_reads, reads + 1);
  ASSERT_TRUE(store_.delete_key(last));
  ASSERT_TRUE(publisher_.keys_changed(id));
  add_key("key-6");
  ASSERT_TRUE(publisher_.keys_added(id));
  EXPECT_EQ(store_.key_reads, reads + 2);
  EXPECT_EQ(publisher_.pool(id)->counts(clock_.now()).total, 5U);
}

TEST_F(PublisherTest, PublishesWhatTheDataPlaneNeeds) {
  add(example_service("rest"));
  Service llm = example_service("llm");
  llm.type = ServiceType::kLlm;
  llm.methods.clear();
  add(llm);
  llm.name = llm.slug = "claude";
  llm.api_format = "anthropic_native";
  add(llm);
  ASSERT_EQ(table_->services().size(), 3U);
  const RoutedService& rest = *table_->match("/proxy/rest/x").value().service;
  EXPECT_TRUE(rest.join.bare_is_base);
  EXPECT_EQ(rest.provider, nullptr);
  EXPECT_EQ(rest.allow, "GET, POST");
  EXPECT_EQ(rest.url.origin.host, "api.example.com");
  for (const auto& [slug, format] : {std::pair("llm", "openai_compatible"), std::pair("claude", "anthropic_native")}) {
    const RoutedService& routed = *table_->match("/llm/" + std::string(slug)).value().service;
    EXPECT_FALSE(routed.join.bare_is_base) << slug;
    EXPECT_EQ(routed.provider, find_provider(format)) << slug;
    ASSERT_EQ(routed.join.once.size(), 1U) << slug;
    EXPECT_EQ(routed.join.once.front(), "v1") << slug;
  }
  EXPECT_EQ(table_->match("/llm/claude").value().service->client_format, "anthropic");
  EXPECT_EQ(publisher_.status().published, 3U);
}

TEST_F(PublisherTest, HealthSurvivesEditsAndOnlyChangedKeysAreReadAgain) {
  Service a = add(example_service("a"));
  const Service b = add(example_service("b"));
  store_.add_keys(a.id, example_keys(2)).value();
  EXPECT_TRUE(publisher_.keys_changed(a.id));
  const auto pool = pool_of("/proxy/a");
  auto lease = pool->select({}, clock_.now()).value();
  lease.report({.key = KeyAction::kCool, .cool_for = std::chrono::hours(1), .reason = "http_429"}, clock_.now());
  const int reads = store_.key_reads;

  a.slug = "renamed";
  store_.update_service(a).value();
  EXPECT_TRUE(publisher_.service_changed());
  EXPECT_EQ(store_.key_reads, reads);
  EXPECT_EQ(pool_of("/proxy/renamed"), pool);
  EXPECT_EQ(pool->counts(clock_.now()).cooling, 1U);

  EXPECT_TRUE(publisher_.keys_changed(b.id));
  EXPECT_EQ(store_.key_reads, reads + 1);
  EXPECT_TRUE(publisher_.refresh());
  EXPECT_EQ(store_.key_reads, reads + 3);
  EXPECT_EQ(pool->counts(clock_.now()).cooling, 1U);
}

TEST_F(PublisherTest, AFailedRefreshKeepsTheTableAndIsPaidLater) {
  const Service a = add(example_service("a"));
  const auto before = table_;
  store_.add_keys(a.id, example_keys(2)).value();
  store_.failing = true;
  EXPECT_EQ(publisher_.keys_changed(a.id).error().code, ErrorCode::kStoreUnavailable);
  EXPECT_EQ(table_, before);
  EXPECT_TRUE(publisher_.status().failure);
  EXPECT_FALSE(publisher_.retry());
  store_.failing = false;
  EXPECT_TRUE(publisher_.retry());
  EXPECT_FALSE(publisher_.status().failure);
  EXPECT_EQ(pool_of("/proxy/a")->counts(clock_.now()).active, 2U);
  const auto published = publisher_.status().published;
  EXPECT_TRUE(publisher_.retry());  // nothing to do
  EXPECT_EQ(publisher_.status().published, published);
}

TEST_F(PublisherTest, TellsTheOthersOfOurWritesButNotOfTheirs) {
  const Service a = add(example_service("a"));
  EXPECT_EQ(cluster_.announced, 1);
  EXPECT_TRUE(publisher_.keys_changed(a.id));
  EXPECT_EQ(cluster_.announced, 2);
  EXPECT_TRUE(publisher_.refresh());
  EXPECT_TRUE(publisher_.retry());
  EXPECT_EQ(cluster_.announced, 2);
}

TEST_F(PublisherTest, LeavesOutWhatCannotBeRouted) {
  Service broken = example_service("broken");
  broken.target_url = "not a url";
  const ServiceId id = add(broken).id;
  add(example_service("good"));
  EXPECT_EQ(table_->services().size(), 1U);
  ASSERT_EQ(publisher_.status().left_out.size(), 1U);
  EXPECT_TRUE(publisher_.status().left_out[0].starts_with("broken: "));
  EXPECT_TRUE(store_.delete_service(id));
  EXPECT_TRUE(publisher_.service_changed());
  EXPECT_TRUE(publisher_.status().left_out.empty());
  EXPECT_EQ(publisher_.pool(id), nullptr);
}

TEST_F(PublisherTest, AKeyWithALineBreakIsNeverUsed) {
  const Service a = add(example_service("a"));
  const std::vector<NewKey> keys = {{Secret("good-key"), true}, {Secret("bad\r\nX-Evil: 1"), true}};
  store_.add_keys(a.id, keys).value();
  EXPECT_TRUE(publisher_.keys_changed(a.id));
  EXPECT_EQ(pool_of("/proxy/a")->counts(clock_.now()).active, 1U);
}

TEST_F(PublisherTest, PoolsAreThoseWhoseKeysWereRead) {
  EXPECT_TRUE(publisher_.pools().empty());
  const Service service = add(example_service("a"));
  const auto pools = publisher_.pools();
  ASSERT_EQ(pools.size(), 1U);
  EXPECT_EQ(pools[0].service, service.id);
  EXPECT_EQ(pools[0].keys, publisher_.pool(service.id));
}

// Scenario 12 (new-api #7040: all keys disabled, and nothing ever looked at them again) for services without a free
// call: once an hour a request finds out.  Where there is one, requests never meet an invalid key.
TEST_F(PublisherTest, InvalidKeysAreTriedByRequestsOnlyWhereNothingElseAsks) {
  Service rest = example_service("rest");
  rest.outage_guard = false;
  rest = add(rest);
  Service with_models = example_service("llm");
  with_models.outage_guard = false;
  with_models.type = ServiceType::kLlm;
  with_models.methods.clear();
  with_models = add(with_models);
  for (const ServiceId id : {rest.id, with_models.id}) {
    store_.add_keys(id, example_keys(3)).value();
    EXPECT_TRUE(publisher_.keys_changed(id));
    for (int i = 0; i < 3; ++i) {
      auto lease = publisher_.pool(id)->select({}, clock_.now()).value();
      lease.report({.key = KeyAction::kInvalidate, .reason = "invalid_api_key"}, clock_.now());
    }
    EXPECT_EQ(publisher_.pool(id)->select({}, clock_.now()).error().code, ErrorCode::kCredentialsExhausted);
  }
  clock_.advance(std::chrono::hours(1));
  EXPECT_FALSE(publisher_.pool(with_models.id)->select({}, clock_.now()));
  auto trial = publisher_.pool(rest.id)->select({}, clock_.now());
  ASSERT_TRUE(trial);
  trial->report({.key = KeyAction::kGood}, clock_.now());
  EXPECT_EQ(publisher_.pool(rest.id)->counts(clock_.now()).active, 1U);
}

TEST_F(PublisherTest, RulesThatSomebodyBrokeInTheTableLeaveTheServiceOut) {
  Service service = example_service("a");
  service.failure_rules = {{.body_regex = "("}};
  add(service);
  EXPECT_TRUE(table_->services().empty());
  EXPECT_EQ(publisher_.status().left_out.size(), 1U);
}

// Rules that were accepted before their size was limited: the service goes on without them, and it is told once.
TEST_F(PublisherTest, StoredRulesThatAreTooLargeAreSkipped) {
  Service service = example_service("a");
  service.failure_rules = {{.body_regex = "[^b]*a.{0,400}c.{0,400}d"}, {.statuses = {400}}};
  testing::internal::CaptureStderr();
  add(service);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find(R"("failure_rule_skipped","service":"a","field":"failure_rules[0].body_regex")"), log.npos) << log;
  ASSERT_EQ(table_->services().size(), 1U);
  EXPECT_EQ(table_->match("/proxy/a").value().service->rules->match(400, "", {})->index, 1U);
  testing::internal::CaptureStderr();
  EXPECT_TRUE(publisher_.service_changed());
  EXPECT_EQ(testing::internal::GetCapturedStderr().find("failure_rule_skipped"), std::string::npos);
}

// ---- several URLs, and fallbacks

TEST_F(PublisherTest, UrlsKeepTheirHealthWhenTheListIsEdited) {
  std::vector<Upstream> list = {{"https://a.example/v1", 1, 0}, {"https://b.example/v2", 1, 0}};
  store_.adjust = [&](Service& service) {
    service.upstreams = list;
    service.target_url = list.front().url;
  };
  const Service service = add(example_service("s"));
  const auto set = [&] { return table_->match("/proxy/s").value().service->upstreams; };
  const auto first = set();
  ASSERT_TRUE(first);
  EXPECT_EQ(first, publisher_.upstreams(service.id));
  EXPECT_EQ(first->url(1).base_path, "/v2");
  for (int i = 0; i < 5; ++i) first->select(0b10, clock_.now()).report(EndpointEffect::kFail, clock_.now());
  EXPECT_TRUE(publisher_.service_changed());
  EXPECT_EQ(set(), first);  // the same list: the same set
  list = {{"https://c.example", 3, 0}, {"https://a.example/v1", 1, 0}};
  EXPECT_TRUE(publisher_.service_changed());
  ASSERT_NE(set(), first);
  EXPECT_EQ(set()->states(clock_.now())[0].state, UpstreamState::kHealthy);
  EXPECT_EQ(set()->states(clock_.now())[1].state, UpstreamState::kEjected);
  list.pop_back();
  EXPECT_TRUE(publisher_.service_changed());
  EXPECT_FALSE(set());  // one URL needs no choice
  EXPECT_EQ(table_->match("/proxy/s").value().service->url.origin.host, "c.example");
}

TEST_F(PublisherTest, AServiceWithAUrlThatCannotWorkIsLeftOut) {
  std::vector<Upstream> list = {{"https://a.example", 1, 0}, {"https://b.example#x", 1, 0}};
  store_.adjust = [&](Service& service) {
    service.upstreams = list;
    service.target_url = list.front().url;
  };
  add(example_service("s"));
  EXPECT_FALSE(table_->match("/proxy/s"));
  ASSERT_EQ(publisher_.status().left_out.size(), 1U);
  EXPECT_TRUE(publisher_.status().left_out[0].starts_with("s: upstreams[1].url: ")) << publisher_.status().left_out[0];
  list = {{"https://a.example", 0, 0}};
  EXPECT_TRUE(publisher_.service_changed());
  EXPECT_EQ(publisher_.status().left_out.size(), 1U);
  list[0].weight = 1;
  EXPECT_TRUE(publisher_.service_changed());
  EXPECT_TRUE(table_->match("/proxy/s"));
}

// A database may hold "http://127.0.0.1.nip.test/" from a time when it was accepted and the key went to 127.0.0.1.
// Stands for rows that are older than a rule: such a service is told and serves nothing, the start and the others go
// on.
TEST_F(PublisherTest, AStoredUrlThatNamesAnotherHostIsNeverUsed) {
  add(example_service("good"));
  const Service bad = add(example_service("bad"));
  store_.add_keys(bad.id, example_keys(1)).value();
  for (const char* url : {"http://127.0.0.1.nip.test:5000/base", "http://[::1]x.test/", "http://1.2.3.4:80x.test/"}) {
    store_.adjust = [url](Service& service) {
      if (service.slug == "bad") service.target_url = url;
    };
    testing::internal::CaptureStderr();
    ASSERT_TRUE(publisher_.refresh());
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_NE(log.find(R"("event":"service_left_out","service":"bad","field":"target_url")"), std::string::npos) << log;
    EXPECT_TRUE(table_->match("/proxy/good"));
    EXPECT_FALSE(table_->match("/proxy/bad")) << url;
    ASSERT_EQ(publisher_.status().left_out.size(), 1U);
    EXPECT_TRUE(publisher_.status().left_out[0].starts_with("bad: target_url: "));
  }
}

TEST_F(PublisherTest, FallbacksThatCannotStandInAreTold) {
  const Service a = add(example_service("a"));
  const Service b = add(example_service("b"));
  store_.adjust = [&](Service& service) {
    if (service.id == a.id) service.fallbacks = {b.id, ServiceId{999}};
  };
  EXPECT_TRUE(publisher_.service_changed());
  const RoutedService& routed = *table_->match("/proxy/a").value().service;
  ASSERT_EQ(routed.fallbacks.size(), 1U);
  EXPECT_EQ(routed.fallbacks[0], table_->match("/proxy/b").value().service);
  const std::vector<LeftOutFallback> expected = {{"a", ServiceId{999}, "there is no such service"}};
  EXPECT_EQ(publisher_.status().left_out_fallbacks, expected);
}

}  // namespace
}  // namespace akr
