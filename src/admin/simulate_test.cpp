#include <set>

#include "admin/admin_fixture.hpp"
#include "base/time_text.hpp"
#include "core/keys/home_rank.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;

class AdminSimulate : public AdminFixture {
 protected:
  AdminSimulate() { call("POST", keys_path(id_) + "/batch", R"({"keys":["key-number-0000001","k-2","k-3","k-4"]})"); }

  boost::json::object ask(const std::string& more = "") {
    const auto answer = call("POST", "/admin/simulate", R"({"config_id":)" + std::to_string(id_) + more + "}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json(answer);
  }
  std::int64_t taken(const boost::json::object& answer) { return answer.at("key").at("id").as_int64(); }
  static boost::json::object of(const boost::json::object& answer, std::int64_t id) {
    for (const auto& key : answer.at("keys").as_array()) {
      if (key.at("id").as_int64() == id) return key.as_object();
    }
    return {};
  }
  KeyLease select(std::int64_t id) {
    std::vector<KeyId> tried;
    for (const std::int64_t other : {1, 2, 3, 4}) {
      if (other != id) tried.push_back(KeyId{other});
    }
    return pool()->select({.tried = tried}, clock_.now()).value();
  }
  void set_policy(const std::string& policy) {
    const auto answer =
        call("PUT", "/admin/proxy-configs/" + std::to_string(id_), R"({"selection_policy":")" + policy + "\"}");
    ASSERT_EQ(answer.status, 200) << answer.body;
  }
  std::shared_ptr<KeyPool> pool() { return publisher_->pool(ServiceId{id_}); }

  const std::int64_t id_ = make_service("a");
};

// Whether two things will meet could only be found out by making them.
TEST_F(AdminSimulate, TellsWhoseHomeAKeyIs) {
  std::set<std::int64_t> homes;
  for (const char* who : {"11111111", "22222222", "33333333", "44444444", "55555555", "66666666"}) {
    const std::string question = std::string(R"(,"creates":true,"access_key":")") + who + "\"";
    const auto answer = ask(question);
    EXPECT_TRUE(answer.at("home").as_bool());
    EXPECT_TRUE(answer.at("certain").as_bool());
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(taken(ask(question)), taken(answer));
      const auto lease = pool()->select({.home = stable_hash(who)}, clock_.now()).value();
      EXPECT_EQ(lease.key().id.value, taken(answer));
    }
    homes.insert(taken(answer));
  }
  EXPECT_GT(homes.size(), 1U);
  EXPECT_FALSE(ask().contains("home"));
  EXPECT_EQ(call("POST", "/admin/simulate", R"({"slug":"a","creates":true})").status, 422);
  call("PUT", "/admin/proxy-configs/" + std::to_string(id_), R"({"pinning":"spread"})");
  EXPECT_FALSE(ask(R"(,"creates":true,"access_key":"11111111")").contains("home"));
  EXPECT_EQ(call("PUT", "/admin/proxy-configs/" + std::to_string(id_), R"({"pinning":"none"})").status, 422);
}

TEST_F(AdminSimulate, NamesTheKeyThatTheNextRequestTakesAndUsesNothingUp) {
  call("PATCH", "/admin/keys/1", R"({"note":"the first","limits":{"rpm":100}})");
  for (int i = 0; i < 12; ++i) {
    const auto answer = ask();
    EXPECT_EQ(ask(), answer);
    EXPECT_TRUE(answer.at("certain").as_bool());
    const auto lease = pool()->select({}, clock_.now()).value();
    ASSERT_EQ(taken(answer), lease.key().id.value);
    EXPECT_EQ(answer.at("key").at("fingerprint").as_string(), lease.key().fingerprint);
    EXPECT_EQ(of(answer, taken(answer)).at("why").as_string(), "taken");
  }
  const auto answer = ask(R"(,"tried":[2,3,4])");
  EXPECT_EQ(taken(answer), 1);
  EXPECT_EQ(answer.at("key").at("note").as_string(), "the first");
  EXPECT_EQ(answer.at("key").at("key_value").as_string(), "key-……0001");
  EXPECT_EQ(answer.at("slug").as_string(), "a");
  EXPECT_EQ(answer.at("policy").as_string(), "round_robin");
  EXPECT_EQ(answer.at("tier").as_int64(), 0);
  EXPECT_FALSE(answer.at("trial").as_bool());
  EXPECT_EQ(answer.at("skipped").as_object(), (boost::json::object{{"tried", 3}}));
  EXPECT_EQ(answer.at("keys_total").as_int64(), 4);
  EXPECT_EQ(boost::json::serialize(answer).find("number"), std::string::npos) << "plain key";
  EXPECT_EQ(json(call("POST", "/admin/simulate", R"({"slug":"a"})")).at("config_id").as_int64(), id_);
}

TEST_F(AdminSimulate, EachKeyHasItsReason) {
  call("PATCH", "/admin/keys/1", R"({"is_active":false})");
  call("PATCH", "/admin/keys/2", R"({"limits":{"rpm":1}})");
  select(2);
  select(3).report({.key = KeyAction::kCool, .cool_for = 90s, .reason = "http_429"}, clock_.now());
  const auto answer = ask();
  EXPECT_EQ(taken(answer), 4);
  EXPECT_EQ(answer.at("skipped").as_object(), (boost::json::object{{"disabled", 1}, {"cooling", 1}, {"limited", 1}}));
  EXPECT_EQ(of(answer, 1).at("why").as_string(), "disabled");
  EXPECT_EQ(of(answer, 2).at("why").as_string(), "limited");
  EXPECT_EQ(of(answer, 2).at("limit").as_string(), "rpm");
  EXPECT_EQ(of(answer, 2).at("until").as_string(), format_rfc3339(clock_.wall() + 60s));
  EXPECT_EQ(of(answer, 3).at("why").as_string(), "cooling");
  EXPECT_EQ(of(answer, 3).at("until").as_string(), format_rfc3339(clock_.wall() + 90s));
}

// In the words of the key list: see AdminKeys.SaysWhichModelsAKeyWaitsForInTheListAndAlone.
TEST_F(AdminSimulate, SaysWhyAKeyWaits) {
  select(3).report({.key = KeyAction::kCool, .cool_for = 90s, .reason = "http_429"}, clock_.now());
  const auto answer = ask();
  EXPECT_EQ(of(answer, 3).at("reason").as_string(), "http_429");
  EXPECT_FALSE(of(answer, 1).contains("reason"));
}

TEST_F(AdminSimulate, SaysWhatTheClientWouldGet) {
  const auto error = [this](const std::string& more = "") { return ask(more).at("error").as_object(); };
  call("PUT", "/admin/proxy-configs/" + std::to_string(id_), R"({"wait_for_key_ms":700})");
  for (const std::int64_t id : {1, 2, 3, 4}) {
    select(id).report({.key = KeyAction::kCool, .cool_for = std::chrono::seconds(20 + id), .reason = "http_429"},
                      clock_.now());
  }
  auto answer = ask();
  EXPECT_TRUE(answer.at("key").is_null());
  EXPECT_FALSE(answer.contains("certain"));
  EXPECT_EQ(answer.at("error").at("code").as_string(), "all_keys_cooling");
  EXPECT_EQ(answer.at("error").at("status").as_int64(), 1000 + static_cast<int>(ErrorCode::kAllKeysCooling));
  EXPECT_EQ(answer.at("error").at("retry_after").as_int64(), 21);
  EXPECT_EQ(answer.at("error").at("may_wait_ms").as_int64(), 700);
  call("DELETE", keys_path(id_));
  EXPECT_EQ(error().at("code").as_string(), "no_keys_configured");
  call("PUT", "/admin/proxy-configs/" + std::to_string(id_) + "/status", R"({"is_active":false})");
  EXPECT_EQ(error().at("code").as_string(), "service_not_found");
}

TEST_F(AdminSimulate, PoliciesThatDrawLotsAreNotCertain) {
  for (const char* const policy : {"random", "latency"}) {
    set_policy(policy);
    const auto answer = ask(R"(,"tried":[1])");
    EXPECT_FALSE(answer.at("certain").as_bool());
    EXPECT_FALSE(of(answer, 1).contains("share"));
    EXPECT_NEAR(of(answer, 2).at("share").as_double(), 1.0 / 3, 1e-9);
  }
}

TEST_F(AdminSimulate, AConversationStaysWithItsKey) {
  set_policy("sticky");
  const std::string who = R"(,"session":"s-1","access_key":"0a1b2c3d")";
  const std::uint64_t affinity = std::hash<std::string>()("0a1b2c3ds-1") | 1;
  auto lease = pool()->select({.affinity = affinity}, clock_.now()).value();
  lease.report({.key = KeyAction::kGood}, clock_.now());
  const auto answer = ask(who);
  EXPECT_TRUE(answer.at("affinity").as_bool());
  EXPECT_EQ(taken(answer), lease.key().id.value);
  EXPECT_FALSE(ask(R"(,"session":"s-2","access_key":"0a1b2c3d")").at("affinity").as_bool());
}

// The client of an exhausted service gets its fallback's answer; the simulation once foretold it a 429.
TEST_F(AdminSimulate, AsksTheFallbacksOfAnExhaustedService) {
  const std::int64_t other = make_service("b");
  call("POST", keys_path(other) + "/batch", R"({"keys":["key-of-b-0000001"]})");
  call("PUT", "/admin/proxy-configs/" + std::to_string(id_),
       R"({"wait_for_key_ms":500,"fallbacks":[)" + std::to_string(other) + "]}");
  EXPECT_FALSE(ask().contains("fallbacks"));
  for (const std::int64_t key : {1, 2, 3, 4}) {
    auto lease = select(key);
    lease.report({.key = KeyAction::kCool, .cool_for = 30s, .reason = "http_429"}, clock_.now());
  }
  const auto answer = ask(R"(,"tried":[1])");
  EXPECT_EQ(answer.at("served_by").as_string(), "b");
  EXPECT_EQ(taken(answer), 5);
  EXPECT_FALSE(answer.contains("error"));
  EXPECT_EQ(answer.at("fallbacks").at(0).at("keys").at(0).at("why").as_string(), "taken");

  call("PUT", "/admin/proxy-configs/" + std::to_string(other) + "/status", R"({"is_active":false})");
  const auto alone = ask();
  EXPECT_TRUE(alone.at("key").is_null());
  EXPECT_EQ(alone.at("error").at("may_wait_ms").as_int64(), 500);
}

TEST_F(AdminSimulate, RefusesWhatItDoesNotUnderstand) {
  const std::pair<const char*, const char*> cases[] = {{"{}", "/config_id"},
                                                       {R"({"config_id":1,"slug":"a"})", "/config_id"},
                                                       {R"({"config_id":"1"})", "/config_id"},
                                                       {R"({"slug":7})", "/slug"},
                                                       {R"({"slug":"a","model":"gpt"})", "/model"},
                                                       {R"({"slug":"a","tokens":-1})", "/tokens"},
                                                       {R"({"slug":"a","tried":"1"})", "/tried"},
                                                       {R"({"slug":"a","tried":["1"]})", "/tried"},
                                                       {R"({"slug":"a","tried":[1,2,3,4,5,6,7,8,9,10,11]})", "/tried"},
                                                       {R"({"slug":"a","session":"s"})", "/access_key"},
                                                       {R"({"slug":"a","access_key":"s"})", "/session"},
                                                       {R"({"slug":"a","modell":"x"})", "/modell"}};
  for (const auto& [body, pointer] : cases) {
    const auto refused = call("POST", "/admin/simulate", body);
    EXPECT_EQ(refused.status, 422) << body;
    EXPECT_EQ(json(refused).at("errors").at(0).at("pointer").as_string(), pointer) << body;
  }
  EXPECT_EQ(call("POST", "/admin/simulate", R"({"slug":"b"})").status, 404);
  EXPECT_EQ(call("POST", "/admin/simulate", R"({"config_id":99})").status, 404);
  EXPECT_EQ(call("POST", "/admin/simulate", "[]").status, 400);
  EXPECT_EQ(call("GET", "/admin/simulate").status, 405);
  EXPECT_EQ(send(request("POST", "/admin/simulate", R"({"slug":"a"})")).status, 401);
}

}  // namespace
}  // namespace akr
