#include "admin/admin_fixture.hpp"
#include "admin/wire.hpp"
#include "base/time_text.hpp"

namespace akr {
namespace {

class AdminKeys : public AdminFixture {
 protected:
  const std::int64_t id_ = make_service("a");
};

TEST_F(AdminKeys, AddsMaskedAndEnabledUnlessToldOtherwise) {
  const auto answer = call("POST", keys_path(id_), R"({"key_value":" sk-proj-0123456789abcdef\n","color":1})");
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(header(answer, "X-Ignored-Fields"), "color");
  const auto body = json(answer);
  EXPECT_EQ(body.at("key_value").as_string(), "sk-proj-…cdef");
  EXPECT_TRUE(body.at("is_active").as_bool());
  EXPECT_EQ(body.at("proxy_config_id").as_int64(), id_);
  EXPECT_EQ(body.at("status").as_string(), "unused");
  EXPECT_EQ(body.at("fingerprint").as_string().size(), 8U);
  EXPECT_FALSE(json(call("POST", keys_path(id_), R"({"key_value":"second-key-0123456","is_active":false})"))
                   .at("is_active")
                   .as_bool());
  EXPECT_EQ(database_->config().list_keys(ServiceId{id_}).value()[0].secret.expose(), "sk-proj-0123456789abcdef");
}

TEST_F(AdminKeys, AddingTwiceIsAConflictThatNamesTheKey) {
  const auto first = json(call("POST", keys_path(id_), R"({"key_value":"sk-0123456789abcdef"})")).at("id").as_int64();
  const auto refused = call("POST", keys_path(id_), R"({"key_value":"sk-0123456789abcdef"})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(json(refused).at("code").as_string(), "duplicate_key");
  EXPECT_EQ(json(refused).at("params").at("id").as_int64(), first);
}

TEST_F(AdminKeys, RefusesWhatCannotBeAKey) {
  for (const char* bad :
       {"{}", R"({"key_value":null})", R"({"key_value":7})", R"({"key_value":""})", R"({"key_value":"a\r\nX-Evil: 1"})",
        R"({"key_value":"a\u0000b"})", R"({"key_value":"kéy"})"}) {
    const auto refused = call("POST", keys_path(id_), bad);
    EXPECT_EQ(refused.status, 422) << bad;
    EXPECT_EQ(json(refused).at("errors").at(0).at("pointer").as_string(), "/key_value");
  }
  EXPECT_EQ(call("POST", keys_path(99), R"({"key_value":"k"})").status, 404);
  EXPECT_EQ(json(call("POST", "/admin/proxy-configs/x/keys", "{}")).at("error").as_string(), "Invalid config ID");
  EXPECT_EQ(call("GET", keys_path(id_)).body, "[]");
}

// A key ".." of a service with its key in the path led out of the base.  It is refused wherever keys come in, and one
// that is in the store already is not sent.
TEST_F(AdminKeys, AKeyThatWouldLeaveTheBaseIsRefused) {
  const std::string config = "/admin/proxy-configs/" + std::to_string(id_);
  ASSERT_EQ(call("POST", keys_path(id_), R"({"key_value":".."})").status, 201);  // it stands in a header
  const std::string to_path = R"({"target_url":"https://a.example/v3/{key}","api_key_location":"path"})";
  const auto refused = call("PUT", config, to_path);
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_EQ(json(refused).at("errors").at(0).at("pointer").as_string(), "/api_key_location");
  ASSERT_EQ(call("DELETE", keys_path(id_)).status, 200);
  ASSERT_EQ(call("PUT", config, to_path).status, 200);
  for (const char* bad : {".", "..", "%2e%2E", "..;a", "x/../y"}) {
    const auto answer = call("POST", keys_path(id_), R"({"key_value":")" + std::string(bad) + "\"}");
    EXPECT_EQ(answer.status, 422) << bad;
    EXPECT_EQ(json(answer).at("errors").at(0).at("pointer").as_string(), "/key_value");
  }
  const auto report = json(call("POST", keys_path(id_) + "/batch", R"({"keys":["good-key-1","..","%2e","a/./b"]})"));
  EXPECT_EQ(report.at("success_count").to_number<int>(), 1);
  EXPECT_EQ(report.at("failed_count").to_number<int>(), 3);
  EXPECT_EQ(report.at("failed").at(0).at("index").to_number<int>(), 1);
  // Past all of that, as from an older database.
  const NewKey stored = {.secret = Secret(".."), .enabled = true};
  ASSERT_TRUE(database_->config().add_keys(ServiceId{id_}, {&stored, 1}));
  for (const bool appended : {true, false}) {
    ASSERT_TRUE(appended ? publisher_->keys_added(ServiceId{id_}) : publisher_->refresh());
    const auto lease = publisher_->pool(ServiceId{id_})->select({}, clock_.now());
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->key().secret.expose(), "good-key-1");
    const KeyId taken = lease->key().id;
    EXPECT_FALSE(publisher_->pool(ServiceId{id_})->select({.tried = {&taken, 1}}, clock_.now()));
  }
}

TEST_F(AdminKeys, TheListShowsMasksAndWhatThePoolKnows) {
  call("POST", keys_path(id_), R"({"key_value":"sk-0123456789abcdef"})");
  call("POST", keys_path(id_), R"({"key_value":"tiny"})");
  {
    auto lease = publisher_->pool(ServiceId{id_})->select({}, clock_.now()).value();
    lease.report({.key = KeyAction::kCool, .cool_for = std::chrono::seconds(60), .reason = "http_429"}, clock_.now());
  }
  const auto answer = call("GET", keys_path(id_));
  EXPECT_EQ(answer.body.find("0123456789"), std::string::npos);
  EXPECT_EQ(answer.body.find("tiny"), std::string::npos);
  int cooling = 0;
  for (const auto& key : array(answer)) {
    EXPECT_GE(key.at("key_value").as_string().size(), 10U);
    if (key.at("status").as_string() != "cooling") continue;
    ++cooling;
    EXPECT_EQ(key.at("reason").as_string(), "http_429");
    EXPECT_TRUE(key.as_object().contains("until"));
  }
  EXPECT_EQ(cooling, 1);
}

TEST_F(AdminKeys, ImportsSkipsDuplicatesAndReportsWhatIsInvalid) {
  auto body = json(call("POST", keys_path(id_) + "/batch",
                        R"({"keys":["k-1"," k-2 ","","  ","k-1","bad\nkey-0123456789-bad-4321",7]})"));
  EXPECT_EQ(body.at("success_count").as_int64(), 2);
  EXPECT_EQ(body.at("skipped_count").as_int64(), 1);
  EXPECT_EQ(body.at("failed_count").as_int64(), 2);
  EXPECT_EQ(body.at("failed").at(0).at("index").as_int64(), 5);
  EXPECT_EQ(body.at("failed").at(0).at("code").as_string(), "invalid_value");
  EXPECT_EQ(body.at("failed").at(1).at("code").as_string(), "not_a_string");
  EXPECT_EQ(body.at("failed_keys").as_array().size(), 2U);
  EXPECT_EQ(boost::json::serialize(body).find("0123456789"), std::string::npos);
  EXPECT_EQ(publisher_->pool(ServiceId{id_})->counts(clock_.now()).active, 2U);

  EXPECT_EQ(call("POST", keys_path(id_) + "/batch", R"({"keys":["k-1","k-2"]})").body,
            R"({"success_count":0,"failed_count":0,"skipped_count":2})");
  EXPECT_EQ(call("POST", keys_path(id_) + "/batch", R"({"keys":[]})").status, 200);
  for (const char* bad : {"{}", R"({"keys":null})", R"({"keys":"k"})"}) {
    EXPECT_EQ(call("POST", keys_path(id_) + "/batch", bad).status, 422) << bad;
  }
  EXPECT_EQ(json(call("POST", keys_path(99) + "/batch", R"({"keys":[]})")).at("detail").as_string(),
            "ProxyConfig not found");
}

TEST_F(AdminKeys, SwitchesDeletesAndClears) {
  call("POST", keys_path(id_) + "/batch", R"({"keys":["k-1","k-2","k-3"]})");
  const auto pool = publisher_->pool(ServiceId{id_});
  auto body = json(call("PATCH", "/admin/keys/1", R"({"is_active":false})"));
  EXPECT_EQ(body.at("message").as_string(), "API key status updated successfully");
  EXPECT_EQ(body.at("status").as_string(), "disabled");
  EXPECT_EQ(pool->counts(clock_.now()).active, 2U);
  EXPECT_EQ(call("PATCH", "/admin/keys/1", "{}").status, 422);
  EXPECT_EQ(call("PATCH", "/admin/keys/99", R"({"is_active":true})").status, 404);
  EXPECT_EQ(call("DELETE", "/admin/keys/2").body, R"({"message":"API key deleted successfully"})");
  EXPECT_EQ(call("DELETE", "/admin/keys/2").status, 404);
  EXPECT_EQ(pool->counts(clock_.now()).total, 2U);
  EXPECT_EQ(call("DELETE", keys_path(id_)).body, R"({"deleted_count":2})");
  EXPECT_EQ(pool->counts(clock_.now()).total, 0U);
  EXPECT_EQ(json(call("DELETE", keys_path(99))).at("detail").as_string(), "ProxyConfig not found");
}

TEST_F(AdminKeys, TheServiceShowsItsCounts) {
  call("POST", keys_path(id_) + "/batch", R"({"keys":["k-1","k-2"]})");
  call("PATCH", "/admin/keys/1", R"({"is_active":false})");
  const auto counts = array(call("GET", "/admin/proxy-configs")).at(0).at("key_counts").as_object();
  EXPECT_EQ(counts.at("total").as_int64(), 2);
  EXPECT_EQ(counts.at("active").as_int64(), 1);
  EXPECT_EQ(counts.at("disabled").as_int64(), 1);
}

TEST_F(AdminKeys, KeepsWhatPeopleSetAndTellsThePool) {
  const auto added = call("POST", keys_path(id_),
                          R"({"key_value":"k-1","note":"n","weight":2,"priority":1,"quota_group":"org",
                              "limits":{"rpm":5}})");
  ASSERT_EQ(added.status, 201) << added.body;
  auto body = json(added);
  EXPECT_EQ(body.at("note").as_string(), "n");
  EXPECT_EQ(body.at("weight").as_int64(), 2);
  EXPECT_EQ(body.at("priority").as_int64(), 1);
  EXPECT_EQ(body.at("quota_group").as_string(), "org");
  EXPECT_EQ(body.at("limits").at("rpm").as_int64(), 5);

  body = json(call("PATCH", "/admin/keys/1",
                   R"({"note":null,"weight":7,"quota_group":null,"limits":{"max_concurrency":1,"tpm":5000000000}})"));
  EXPECT_FALSE(body.contains("note"));
  EXPECT_FALSE(body.contains("quota_group"));
  EXPECT_EQ(body.at("weight").as_int64(), 7);
  EXPECT_EQ(body.at("priority").as_int64(), 1);
  EXPECT_TRUE(body.at("is_active").as_bool());
  EXPECT_EQ(body.at("limits").at("rpm").as_int64(), 5);  // the members of limits that are absent stay, too
  EXPECT_EQ(body.at("limits").at("tpm").as_int64(), 5'000'000'000);

  const auto pool = publisher_->pool(ServiceId{id_});
  const auto lease = pool->select({}, clock_.now());
  ASSERT_TRUE(lease);
  EXPECT_FALSE(pool->select({}, clock_.now()));  // max_concurrency
  body = array(call("GET", keys_path(id_))).at(0).as_object();
  EXPECT_EQ(body.at("in_flight").as_int64(), 1);
  EXPECT_EQ(body.at("standing").as_string(), "busy");
  body = json(call("PATCH", "/admin/keys/1", R"({"limits":null})"));
  EXPECT_FALSE(body.contains("limits"));
  EXPECT_TRUE(pool->select({}, clock_.now()));
}

TEST_F(AdminKeys, ABadMemberIsNamedAndChangesNothing) {
  call("POST", keys_path(id_), R"({"key_value":"k-1","weight":3})");
  const std::uint64_t published = publisher_->status().published;
  const std::pair<const char*, const char*> cases[] = {
      {R"({"weight":-1})", "/weight"},
      {R"({"weight":"2"})", "/weight"},
      {R"({"weight":1.5})", "/weight"},
      {R"({"priority":99999999})", "/priority"},
      {R"({"note":7})", "/note"},
      {R"({"note":"a\nb"})", "/note"},
      {R"({"is_active":null})", "/is_active"},
      {R"({"quota_group":["a"]})", "/quota_group"},
      {R"({"limits":5})", "/limits"},
      {R"({"limits":{"rpm":"many"}})", "/limits/rpm"},
      {R"({"limits":{"tpm":-1}})", "/limits/tpm"},
      {R"({"limits":{"monthly_reset_day":31}})", "/limits/monthly_reset_day"},
      {R"({"limits":{"rps":1}})", "/limits/rps"},
      {R"({"weight":9,"limits":{"rpm":true}})", "/limits/rpm"}};
  for (const auto& [body, pointer] : cases) {
    for (const auto& refused : {call("PATCH", "/admin/keys/1", body), call("PATCH", "/admin/keys/99", body)}) {
      EXPECT_EQ(refused.status, 422) << body;
      EXPECT_EQ(json(refused).at("errors").at(0).at("pointer").as_string(), pointer) << body;
    }
  }
  EXPECT_EQ(database_->config().find_key(KeyId{1}).value().weight, 3U);
  EXPECT_EQ(publisher_->status().published, published);
}

TEST_F(AdminKeys, ShowsWhyAKeyIsOutAndSinceWhen) {
  call("POST", keys_path(id_), R"({"key_value":"sk-0123456789abcdef"})");
  const auto pool = publisher_->pool(ServiceId{id_});
  {
    auto lease = pool->select({}, clock_.now()).value();
    lease.note_failure(429, "slow down");
    lease.report({.key = KeyAction::kCool, .cool_for = std::chrono::seconds(60), .reason = "http_429"}, clock_.now());
  }
  const std::string since = format_rfc3339(clock_.wall());
  clock_.advance(std::chrono::seconds(20));
  const auto key = array(call("GET", keys_path(id_))).at(0).as_object();
  EXPECT_EQ(key.at("status").as_string(), "cooling");
  EXPECT_EQ(key.at("state").as_string(), "cooling");
  EXPECT_EQ(key.at("reason").as_string(), "http_429");
  EXPECT_EQ(key.at("since").as_string(), since);
  EXPECT_EQ(key.at("until").as_string(), format_rfc3339(clock_.wall() + std::chrono::seconds(40)));
  EXPECT_EQ(key.at("last_status").as_int64(), 429);
  EXPECT_EQ(key.at("last_error").as_string(), "slow down");
  EXPECT_EQ(key.at("consecutive_failures").as_int64(), 1);
  EXPECT_EQ(key.at("in_flight").as_int64(), 0);
  EXPECT_TRUE(key.contains("last_used"));
}

// Kind: a count where a person needs the reason.  `cooling_models: 1` did not say which model, why, or until when.
TEST_F(AdminKeys, SaysWhichModelsAKeyWaitsForInTheListAndAlone) {
  call("POST", keys_path(id_), R"({"key_value":"sk-0123456789abcdef"})");
  const Verdict cool{
      .key = KeyAction::kCool, .scope = Scope::kKeyModel, .cool_for = std::chrono::seconds(60), .reason = "http_429"};
  publisher_->pool(ServiceId{id_})->select({.model = "gpt-5"}, clock_.now()).value().report(cool, clock_.now());
  const boost::json::array expected = {{{"model", "gpt-5"},
                                        {"reason", "http_429"},
                                        {"until", format_rfc3339(clock_.wall() + std::chrono::seconds(60))}}};
  const auto listed = array(call("GET", keys_path(id_))).at(0).as_object();
  EXPECT_EQ(listed.at("cooling_models").as_int64(), 1);
  EXPECT_EQ(listed.at("model_waits").as_array(), expected);
  const auto alone = json(call("PATCH", "/admin/keys/1", R"({"note":"seen"})"));
  EXPECT_EQ(alone.at("model_waits").as_array(), expected);
  clock_.advance(std::chrono::seconds(60));
  EXPECT_FALSE(array(call("GET", keys_path(id_))).at(0).as_object().contains("model_waits"));
}

class AdminKeyReset : public AdminKeys {
 protected:
  AdminKeyReset() {
    call("POST", keys_path(id_) + "/batch", R"({"keys":["k-1","k-2","k-3"]})");
    for (int i = 0; i < 2; ++i) {
      const auto tried = pool_->select({}, clock_.now());
      pool_->select({}, clock_.now())
          .value()
          .report({.key = KeyAction::kInvalidate, .reason = "invalid_api_key"}, clock_.now());
    }
  }
  std::size_t listed(const std::string& query) {
    AdminRequest made = request("GET", keys_path(id_));
    made.query = query;
    made.headers.emplace_back("authorization", "Bearer " + token());
    return array(send(made)).size();
  }
  const std::shared_ptr<KeyPool> pool_ = publisher_->pool(ServiceId{id_});
};

TEST_F(AdminKeyReset, TheListCanBeFilteredByState) {
  EXPECT_EQ(listed("state=invalid"), 2U);
  EXPECT_EQ(listed("state=active"), 1U);
  EXPECT_EQ(listed("state=invalid,active"), 3U);
  EXPECT_EQ(listed("state=invalid%2Cactive&x=1"), 3U);
  EXPECT_EQ(listed("state=cooling&state=exhausted"), 0U);
  AdminRequest made = request("GET", keys_path(id_));
  made.query = "state=frozen";
  made.headers.emplace_back("authorization", "Bearer " + token());
  EXPECT_EQ(send(made).status, 400);
}

TEST_F(AdminKeyReset, OneKeyIsUsableAtOnce) {
  for (const char* id : {"1", "2", "3"}) {
    const auto answer = call("POST", std::string("/admin/keys/") + id + "/reset");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(json(answer).at("state").as_string(), "active");
  }
  EXPECT_EQ(pool_->counts(clock_.now()).active, 3U);
  EXPECT_EQ(call("POST", "/admin/keys/99/reset").status, 404);
  EXPECT_EQ(call("POST", "/admin/keys/x/reset").status, 400);
}

TEST_F(AdminKeyReset, SeveralOrAllOfAService) {
  auto body = json(call("POST", keys_path(id_) + "/reset", R"({"ids":[1,99]})"));
  EXPECT_EQ(body.at("reset_count").as_int64(), 1);
  EXPECT_EQ(body.at("not_found").as_array().size(), 1U);
  for (const char* bad : {R"({"ids":"all"})", R"({"ids":["1"]})", R"({"ids":null})", R"({"id":[1]})"}) {
    EXPECT_EQ(call("POST", keys_path(id_) + "/reset", bad).status, 422) << bad;
  }
  EXPECT_EQ(call("POST", keys_path(99) + "/reset").status, 404);
  EXPECT_GE(pool_->counts(clock_.now()).invalid, 1U);
  EXPECT_EQ(json(call("POST", keys_path(id_) + "/reset")).at("reset_count").as_int64(), 3);
  EXPECT_EQ(pool_->counts(clock_.now()).active, 3U);
}

TEST(MaskKey, HasTenCharactersAtLeast) {
  EXPECT_EQ(mask_key(Secret("short")), "**********");
  EXPECT_EQ(mask_key(Secret("")), "**********");
  EXPECT_EQ(mask_key(Secret("abcdefghijklmnop")), "abcd……mnop");
  EXPECT_EQ(mask_key(Secret("sk-proj-0123456789abcdef")), "sk-proj-…cdef");
}

TEST(MaskEgressProxy, HidesThePasswordOnly) {
  EXPECT_EQ(mask_egress_proxy(""), "");
  EXPECT_EQ(mask_egress_proxy("http://p.example:3128"), "http://p.example:3128");
  EXPECT_EQ(mask_egress_proxy("http://user@p.example:3128"), "http://user@p.example:3128");
  EXPECT_EQ(mask_egress_proxy("socks5://u:p%40@w:ord@p:1"), "socks5://u:****@p:1");
}

}  // namespace
}  // namespace akr
