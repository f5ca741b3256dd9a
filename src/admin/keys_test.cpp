#include "admin/admin_fixture.hpp"
#include "admin/wire.hpp"

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
