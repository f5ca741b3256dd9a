#include <thread>

#include "admin/admin_fixture.hpp"

namespace akr {
namespace {

constexpr const char* kConfigs = "/admin/proxy-configs";

class AdminServices : public AdminFixture {
 protected:
  std::string path(std::int64_t id, const std::string& rest = "") {
    return std::string(kConfigs) + "/" + std::to_string(id) + rest;
  }
  const RoutedService* routed(const std::string& slug) {
    for (const RoutedService& service : table_->services()) {
      if (service.config.slug == slug) return &service;
    }
    return nullptr;
  }
};

TEST_F(AdminServices, AnEmptyListIsAnArray) { EXPECT_EQ(call("GET", kConfigs).body, "[]"); }

TEST_F(AdminServices, CreatesAsTheOriginalsPageDoes) {
  const auto answer = call("POST", kConfigs, R"({"name":"W","slug":"w","config_type":"GENERIC","method":"GET",
      "target_url":"https://api.example/v1","target_base_url":null,"api_key_location":"header","api_key_name":"X-Key",
      "api_format":null,"output_format":null})");
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(header(answer, "Location"), "/admin/proxy-configs/1");
  EXPECT_EQ(header(answer, "ETag"), "\"1-1\"");
  EXPECT_EQ(header(answer, "X-Ignored-Fields"), "");
  const auto body = json(answer);
  EXPECT_EQ(body.at("id").as_int64(), 1);
  EXPECT_EQ(body.at("config_type").as_string(), "GENERIC");
  EXPECT_TRUE(body.at("is_active").as_bool());
  EXPECT_TRUE(body.at("api_keys").as_array().empty());
  EXPECT_EQ(body.at("method").as_string(), "GET");
  EXPECT_EQ(body.at("target_url").as_string(), "https://api.example/v1");
  EXPECT_FALSE(body.contains("target_base_url"));
  EXPECT_EQ(body.at("api_format").as_string(), "openai_compatible");
  EXPECT_EQ(body.at("output_format").as_string(), "none");
  EXPECT_EQ(body.at("api_key_prefix").as_string(), "");
  EXPECT_EQ(body.at("total_timeout_ms").as_int64(), 30'000);
  EXPECT_EQ(json(call("GET", path(1))), body);
  EXPECT_EQ(json(call("GET", path(1, "/"))), body);
  EXPECT_EQ(json(call("GET", std::string(kConfigs) + "/w")), body);
  EXPECT_EQ(array(call("GET", kConfigs)).at(0).as_object(), body);
  ASSERT_NE(routed("w"), nullptr);  // published before the answer
  EXPECT_EQ(routed("w")->allow, "GET");
  EXPECT_TRUE(routed("w")->join.bare_is_base);
}

TEST_F(AdminServices, AnLlmServiceTakesItsBaseUrlAndBearerPrefix) {
  const auto answer = call("POST", kConfigs, R"({"name":"O","slug":"o","config_type":"llm","is_active":false,
      "target_base_url":"https://api.example/v1","target_url":"ignored","method":"POST","api_key_location":"header",
      "api_key_name":"X-Auth","accept_body_key":true,"egress_proxy":"socks5h://u:pw@p.example:1080",
      "max_attempts":5,"retry_budget_ms":1000,"first_byte_timeout_ms":1234,"id":77,"revision":9,"surprise\n":1})");
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(header(answer, "X-Ignored-Fields"), "revision");
  const auto body = json(answer);
  EXPECT_EQ(body.at("id").as_int64(), 1);
  EXPECT_EQ(body.at("config_type").as_string(), "LLM");
  EXPECT_FALSE(body.at("is_active").as_bool());  // the original made it true
  EXPECT_EQ(body.at("target_base_url").as_string(), "https://api.example/v1");
  EXPECT_FALSE(body.contains("target_url"));
  EXPECT_FALSE(body.contains("method"));
  EXPECT_EQ(body.at("api_key_prefix").as_string(), "Bearer ");
  EXPECT_EQ(body.at("egress_proxy").as_string(), "socks5h://u:****@p.example:1080");
  EXPECT_EQ(body.at("first_byte_timeout_ms").as_int64(), 1234);
  EXPECT_EQ(body.at("total_timeout_ms").as_int64(), 0);
  EXPECT_EQ(body.at("max_attempts").as_int64(), 5);
  EXPECT_TRUE(body.at("retry_non_idempotent").as_bool());
  EXPECT_EQ(answer.body.find("pw@"), std::string::npos);
  EXPECT_FALSE(routed("o")->join.bare_is_base);
  ASSERT_EQ(routed("o")->join.once.size(), 1U);
  EXPECT_EQ(routed("o")->join.once.front(), "v1");
  EXPECT_EQ(routed("o")->config.egress_proxy, "socks5h://u:pw@p.example:1080");
}

TEST_F(AdminServices, MethodsAreOneAListOrAny) {
  const auto made = [&](const std::string& slug, const std::string& method) {
    return call("POST", kConfigs,
                R"({"name":")" + slug + R"(","slug":")" + slug +
                    R"(","config_type":"generic","target_url":"https://a.example")" + method + "}");
  };
  EXPECT_EQ(json(made("a", R"(,"method":"get, Post,GET")")).at("method").as_string(), "GET,POST");
  EXPECT_EQ(routed("a")->allow, "GET, POST");
  EXPECT_EQ(json(made("b", R"(,"method":"any")")).at("method").as_string(), "ANY");
  EXPECT_EQ(routed("b")->allow, "");
  for (const char* bad : {"", R"(,"method":null)", R"(,"method":"")", R"(,"method":"GET,")", R"(,"method":"GET,ANY")",
                          R"(,"method":"G T")", R"(,"method":7)", R"(,"method":"TRACE")"}) {
    const auto refused = made("c", bad);
    EXPECT_EQ(refused.status, 422) << bad;
    EXPECT_EQ(json(refused).at("errors").at(0).at("pointer").as_string(), "/method") << bad;
  }
}

TEST_F(AdminServices, WhatIsInvalidNeverReachesTheStore) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"slug":"a","config_type":"GENERIC","method":"GET","target_url":"https://a"})", "/name"},
      {R"({"name":"a","config_type":"GENERIC","method":"GET","target_url":"https://a"})", "/slug"},
      {R"({"name":"a","slug":"a","method":"GET","target_url":"https://a"})", "/config_type"},
      {R"({"name":null,"slug":"a","config_type":"GENERIC","method":"GET","target_url":"https://a"})", "/name"},
      {R"({"name":"a","slug":"a b","config_type":"GENERIC","method":"GET","target_url":"https://a"})", "/slug"},
      {R"({"name":"a","slug":"a\r\nX: y","config_type":"GENERIC","method":"GET","target_url":"https://a"})", "/slug"},
      {R"({"name":"a","slug":"a","config_type":"REST","method":"GET","target_url":"https://a"})", "/config_type"},
      {R"({"name":"a","slug":"a","config_type":"GENERIC","method":"GET"})", "/target_url"},
      {R"({"name":"a","slug":"a","config_type":"LLM"})", "/target_base_url"},
      {R"({"name":"a","slug":"a","config_type":"GENERIC","method":"GET","target_url":"ftp://a"})", "/target_url"},
      {R"({"name":"a","slug":"a","config_type":"GENERIC","method":"GET","target_url":"http://169.254.169.254/"})",
       "/target_url"},
      {R"({"name":"a","slug":"a","config_type":"LLM","target_base_url":"https://a","api_format":"x"})", "/api_format"},
      {R"({"name":"a","slug":"a","config_type":"LLM","target_base_url":"https://a","is_active":"yes"})", "/is_active"},
      {R"({"name":"a","slug":"a","config_type":"LLM","target_base_url":"https://a","max_attempts":11})",
       "/max_attempts"},
      {R"({"name":"a","slug":"a","config_type":"LLM","target_base_url":"https://a","max_attempts":1.5})",
       "/max_attempts"},
      {R"({"name":"a","slug":"a","config_type":"LLM","target_base_url":"https://a","total_timeout_ms":-1})",
       "/total_timeout_ms"},
      {R"({"name":"a","slug":"a","config_type":"LLM","target_base_url":"https://a","selection_policy":"magic"})",
       "/selection_policy"},
      {R"({"name":"a","slug":"a","config_type":"LLM","target_base_url":"https://a","api_key_location":"cookie"})",
       "/api_key_location"},
      {R"({"name":"a","slug":"a","config_type":"LLM","target_base_url":"https://a","api_key_name":"Host"})",
       "/api_key_name"},
      {R"({"name":"a","slug":"a","config_type":"LLM","target_base_url":"https://a","egress_proxy":"ftp://p:1"})",
       "/egress_proxy"}};
  for (const auto& [body, pointer] : cases) {
    const auto refused = call("POST", kConfigs, body);
    EXPECT_EQ(refused.status, 422) << body << refused.body;
    EXPECT_EQ(json(refused).at("errors").at(0).at("pointer").as_string(), pointer) << body;
  }
  EXPECT_EQ(call("GET", kConfigs).body, "[]");
}

TEST_F(AdminServices, ATakenSlugOrNameIsAConflict) {
  make_service("a");
  const auto refused = call("POST", kConfigs, R"({"name":"b","slug":"a","config_type":"LLM",
      "target_base_url":"https://a.example"})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(json(refused).at("code").as_string(), "duplicate_slug");
  EXPECT_EQ(json(refused).at("error").as_string(), "A service with slug \"a\" exists.");
  const auto b = make_service("b");
  const auto renamed = call("PUT", path(b), R"({"name":"a"})");
  EXPECT_EQ(renamed.status, 409);
  EXPECT_EQ(json(renamed).at("code").as_string(), "duplicate_name");
}

TEST_F(AdminServices, PutChangesWhatIsThereAndNullClears) {
  const auto id = make_service("a");
  auto answer = call("PUT", path(id), R"({"api_key_location":"query","api_key_name":"k","allow_set_cookie":true,
      "egress_proxy":"http://u:pw@p.example:3128","connect_timeout_ms":500})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(header(answer, "ETag"), "\"1-2\"");
  auto body = json(answer);
  EXPECT_EQ(body.at("method").as_string(), "GET");
  EXPECT_EQ(body.at("api_key_location").as_string(), "query");
  // The original's page sends everything it knows, and nothing else: the rest survives.
  answer = call("PUT", path(id), R"({"name":"a","slug":"a","config_type":"GENERIC","method":"POST",
      "target_url":"https://b.example","target_base_url":null,"api_format":null,"output_format":null,
      "api_key_location":"header","api_key_name":"X-K","is_active":true})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  body = json(answer);
  EXPECT_EQ(body.at("method").as_string(), "POST");
  EXPECT_EQ(body.at("target_url").as_string(), "https://b.example");
  EXPECT_EQ(body.at("api_key_name").as_string(), "X-K");
  EXPECT_TRUE(body.at("allow_set_cookie").as_bool());
  EXPECT_EQ(body.at("connect_timeout_ms").as_int64(), 500);
  EXPECT_EQ(routed("a")->config.egress_proxy, "http://u:pw@p.example:3128");
  // Sending back what was shown changes nothing; null clears.
  EXPECT_EQ(call("PUT", path(id), R"({"egress_proxy":"http://u:****@p.example:3128"})").status, 200);
  EXPECT_EQ(routed("a")->config.egress_proxy, "http://u:pw@p.example:3128");
  body = json(call("PUT", path(id), R"({"egress_proxy":null,"api_key_name":null,"connect_timeout_ms":null,
      "is_active":false})"));
  EXPECT_EQ(body.at("egress_proxy").as_string(), "");
  EXPECT_FALSE(body.contains("api_key_name"));
  EXPECT_EQ(body.at("connect_timeout_ms").as_int64(), 10'000);
  EXPECT_FALSE(body.at("is_active").as_bool());
  EXPECT_EQ(call("PUT", path(id), R"({"method":null})").status, 422);
  EXPECT_EQ(call("PUT", path(99), "{}").status, 404);
}

TEST_F(AdminServices, IfMatchRefusesWhatWasChangedMeanwhile) {
  const auto id = make_service("a");
  EXPECT_EQ(call("PUT", path(id), R"({"name":"b"})", {{"if-match", "\"1-1\""}}).status, 200);
  const auto refused = call("PUT", path(id), R"({"name":"c"})", {{"if-match", "\"1-1\""}});
  EXPECT_EQ(refused.status, 412);
  EXPECT_EQ(header(refused, "ETag"), "\"1-2\"");
  EXPECT_EQ(json(refused).at("params").at("current").at("name").as_string(), "b");
  EXPECT_EQ(call("DELETE", path(id), "", {{"if-match", "\"1-1\""}}).status, 412);
  EXPECT_EQ(call("PUT", path(id), R"({"name":"c"})", {{"if-match", "*"}}).status, 200);
}

TEST_F(AdminServices, ParallelEditsOfDifferentMembersAllCount) {
  const auto id = make_service("a");
  token();
  const char* edits[] = {R"({"name":"renamed"})", R"({"method":"POST"})", R"({"max_attempts":7})",
                         R"({"connect_timeout_ms":77})"};
  std::vector<std::thread> editors;
  for (const char* edit : edits)
    editors.emplace_back([&, edit] { EXPECT_EQ(call("PUT", path(id), edit).status, 200); });
  for (std::thread& editor : editors) editor.join();
  const auto body = json(call("GET", path(id)));
  EXPECT_EQ(body.at("name").as_string(), "renamed");
  EXPECT_EQ(body.at("method").as_string(), "POST");
  EXPECT_EQ(body.at("max_attempts").as_int64(), 7);
  EXPECT_EQ(body.at("connect_timeout_ms").as_int64(), 77);
}

TEST_F(AdminServices, SwitchesOnlyWhenToldWhich) {
  const auto id = make_service("a");
  const auto answer = call("PUT", path(id, "/status"), R"({"is_active":false})");
  EXPECT_EQ(answer.body, R"({"message":"Status updated successfully"})");
  EXPECT_FALSE(json(call("GET", path(id))).at("is_active").as_bool());
  EXPECT_FALSE(table_->match("/proxy/a"));
  EXPECT_EQ(call("PUT", path(id, "/status"), "{}").status, 422);
  EXPECT_EQ(call("PUT", path(id, "/status"), R"({"is_active":null})").status, 422);
  EXPECT_EQ(call("PUT", path(99, "/status"), R"({"is_active":true})").status, 404);
}

TEST_F(AdminServices, DeletesWithItsKeys) {
  const auto id = make_service("a");
  EXPECT_TRUE(table_->match("/proxy/a"));
  call("POST", keys_path(id), R"({"key_value":"sk-0123456789abcdef"})");
  EXPECT_EQ(call("DELETE", path(id)).body, R"({"message":"Config deleted successfully"})");
  EXPECT_EQ(call("DELETE", path(id)).status, 404);
  EXPECT_FALSE(table_->match("/proxy/a"));
  EXPECT_EQ(call("GET", keys_path(id)).status, 404);
  EXPECT_EQ(call("GET", path(id)).status, 404);
  EXPECT_EQ(call("GET", std::string(kConfigs) + "/a").status, 400);
}

TEST_F(AdminServices, KeepsTheFailurePolicyAndPublishesIt) {
  const auto id = make_service("a");
  const std::string path = "/admin/proxy-configs/" + std::to_string(id);
  auto body = json(call("PUT", path,
                        R"({"invalid_after":4,"outage_guard":false,"wait_for_key_ms":250,"selection_policy":"weighted",
                            "failure_rules":[{"status":418,"body_regex":"tea","action":"cool","seconds":9}]})"));
  EXPECT_EQ(body.at("invalid_after").as_int64(), 4);
  EXPECT_FALSE(body.at("outage_guard").as_bool());
  EXPECT_EQ(body.at("wait_for_key_ms").as_int64(), 250);
  EXPECT_EQ(boost::json::serialize(body.at("failure_rules")),
            R"([{"status":[418],"body_regex":"tea","action":"cool","scope":"key","seconds":9}])");
  ASSERT_EQ(table_->services().size(), 1U);
  ASSERT_TRUE(table_->services()[0].rules);
  EXPECT_TRUE(table_->services()[0].rules->match(418, "teapot", std::nullopt));
  body = json(call("PUT", path, R"({"failure_rules":"tavily"})"));
  EXPECT_FALSE(body.at("failure_rules").as_array().empty());
  body = json(call("PUT", path, R"({"failure_rules":null,"wait_for_key_ms":null})"));
  EXPECT_TRUE(body.at("failure_rules").as_array().empty());
  EXPECT_EQ(body.at("wait_for_key_ms").as_int64(), 0);
  EXPECT_EQ(body.at("invalid_after").as_int64(), 4);
  EXPECT_FALSE(table_->services()[0].rules);
}

TEST_F(AdminServices, AFailurePolicyThatCannotWorkIsNamedAndChangesNothing) {
  const auto id = make_service("a");
  const std::string path = "/admin/proxy-configs/" + std::to_string(id);
  const auto before = table_;
  const std::pair<const char*, const char*> cases[] = {
      {R"({"failure_rules":[{"status":500,"action":"retry"},{"body_regex":"(","action":"cool"}]})",
       "/failure_rules/1/body_regex"},
      {R"({"failure_rules":[{"body_regex":"[^b]*a.{0,400}c.{0,400}d","action":"cool"}]})",
       "/failure_rules/0/body_regex"},
      {R"({"failure_rules":[{"json_pointer":"error","action":"cool"}]})", "/failure_rules/0/json_pointer"},
      {R"({"failure_rules":[{"status":500,"action":"explode"}]})", "/failure_rules/0/action"},
      {R"({"failure_rules":"nobody"})", "/failure_rules"},
      {R"({"failure_rules":{}})", "/failure_rules"},
      {R"({"selection_policy":"psychic"})", "/selection_policy"},
      {R"({"invalid_after":0})", "/invalid_after"},
      {R"({"invalid_after":"2"})", "/invalid_after"},
      {R"({"outage_guard":1})", "/outage_guard"},
      {R"({"wait_for_key_ms":10001})", "/wait_for_key_ms"},
  };
  for (const auto& [body, pointer] : cases) {
    const auto refused = call("PUT", path, body);
    EXPECT_EQ(refused.status, 422) << body;
    EXPECT_EQ(json(refused).at("errors").at(0).at("pointer").as_string(), pointer) << body;
  }
  EXPECT_EQ(table_, before);
  EXPECT_EQ(json(call("GET", path)).at("etag").as_string(), "\"" + std::to_string(id) + "-1\"");
}

}  // namespace
}  // namespace akr
