#include "admin/admin_fixture.hpp"

namespace akr {
namespace {

// "A rule that does not compile, a weight below 0, a policy that does not exist, a limit that is not a number: refused
// at the admin API with the field's name, the running configuration untouched."
class BadInput : public AdminFixture {
 protected:
  void SetUp() override {
    make_service("other");
    id_ = make_service("a");
    call("POST", keys_path(id_), R"({"key_value":"sk-0123456789abcdef"})");
    call("PUT", service_path(), R"({"selection_policy":"weighted","upstreams":[{"url":"https://a.example"},
        {"url":"https://b.example","weight":2}],"fallbacks":[1],"affinity_rules":[{"created":["/id"]}],
        "failure_rules":[{"status":418,"action":"retry"}]})");
    key_ = array(call("GET", keys_path(id_))).at(0).at("id").as_int64();
    clock_.advance(std::chrono::seconds(1));  // whatever is written from here on shows in updated_at
  }
  std::string service_path() { return "/admin/proxy-configs/" + std::to_string(id_); }
  std::string key_path() { return "/admin/keys/" + std::to_string(key_); }
  std::string stored() { return call("GET", "/admin/proxy-configs").body + call("GET", keys_path(id_)).body; }

  // Refused for that field and with a sentence that says what is wrong; nothing is written, nothing is published.
  void refuses(const std::string& method, const std::string& path, const std::string& body,
               const std::string& pointer) {
    SCOPED_TRACE(body);
    const std::string before = stored();
    const auto table = table_;
    const auto published = publisher_->status().published;
    const auto answer = call(method, path, body);
    EXPECT_EQ(answer.status, 422) << answer.body;
    if (answer.status != 422) return;
    const auto error = json(answer).at("errors").at(0);
    EXPECT_EQ(error.at("pointer").as_string(), pointer);
    EXPECT_GT(error.at("detail").as_string().size(), 15U);
    EXPECT_EQ(stored(), before);
    EXPECT_EQ(table_, table);
    EXPECT_EQ(publisher_->status().published, published);
  }

  std::int64_t id_ = 0, key_ = 0;
};

constexpr std::pair<const char*, const char*> kServiceCases[] = {
    // A rule that does not compile.
    {R"({"failure_rules":[{"status":500,"action":"retry"},{"body_regex":"(","action":"cool"}]})",
     "/failure_rules/1/body_regex"},
    {R"({"failure_rules":[{"json_pointer":"/a","json_regex":"[z-a]","action":"cool"}]})",
     "/failure_rules/0/json_regex"},
    {R"({"failure_rules":[{"body_regex":"(?=x).","action":"cool"}]})", "/failure_rules/0/body_regex"},
    {R"({"failure_rules":[{"action":"cool"}]})", "/failure_rules/0"},
    {R"({"affinity_rules":[{"created":["/id"]},{"created":["id"]}]})", "/affinity_rules/1/created/0"},
    // A weight below 0.
    {R"({"upstreams":[{"url":"https://a.example"},{"url":"https://b.example","weight":-1}]})", "/upstreams/1/weight"},
    {R"({"upstreams":[{"url":"https://a.example","weight":-9223372036854775808}]})", "/upstreams/0/weight"},
    {R"({"upstreams":[{"url":"https://a.example","weight":"many"}]})", "/upstreams/0/weight"},
    // A policy that does not exist.
    {R"({"selection_policy":"psychic"})", "/selection_policy"},
    {R"({"selection_policy":""})", "/selection_policy"},
    {R"({"selection_policy":7})", "/selection_policy"},
    // A limit that is not a number.
    {R"({"max_attempts":"3"})", "/max_attempts"},
    {R"({"retry_budget_ms":"1s"})", "/retry_budget_ms"},
    {R"({"wait_for_key_ms":true})", "/wait_for_key_ms"},
    // What stands beside them.
    {R"({"fallbacks":[1,77]})", "/fallbacks/1"},
    {R"({"target_url":"https://x.example","upstreams":[{"url":"https://a.example"}]})", "/target_url"},
    {R"({"validation_path":"me"})", "/validation_path"},
    {R"({"retry_on_empty":"yes"})", "/retry_on_empty"},
    // The good beside the bad is not taken either.
    {R"({"name":"renamed","upstreams":[{"url":"https://c.example"}],"invalid_after":0})", "/invalid_after"},
};

TEST_F(BadInput, OfAServiceIsNamedAndChangesNothing) {
  for (const auto& [body, pointer] : kServiceCases) refuses("PUT", service_path(), body, pointer);
}

TEST_F(BadInput, OfANewServiceIsNamedAndAddsNone) {
  for (const auto& [body, pointer] : kServiceCases) {
    auto object = boost::json::parse(body).as_object();
    for (const auto& [name, value] :
         {std::pair{"name", "new"}, {"slug", "new"}, {"config_type", "GENERIC"}, {"method", "ANY"}}) {
      if (!object.contains(name)) object[name] = value;
    }
    if (!object.contains("target_url") && !object.contains("upstreams")) object["target_url"] = "https://n.example";
    refuses("POST", "/admin/proxy-configs", boost::json::serialize(object), pointer);
  }
}

TEST_F(BadInput, OfAKeyIsNamedAndChangesNothing) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"weight":-1})", "/weight"},
      {R"({"weight":"3"})", "/weight"},
      {R"({"weight":0.5})", "/weight"},
      {R"({"weight":1000001})", "/weight"},
      {R"({"priority":"high"})", "/priority"},
      {R"({"limits":"none"})", "/limits"},
      {R"({"limits":{"rpm":"60"}})", "/limits/rpm"},
      {R"({"limits":{"rpm":-1}})", "/limits/rpm"},
      {R"({"limits":{"tpm":1.5}})", "/limits/tpm"},
      {R"({"limits":{"rpd":[]}})", "/limits/rpd"},
      {R"({"limits":{"max_concurrency":true}})", "/limits/max_concurrency"},
      {R"({"limits":{"monthly_quota":{}}})", "/limits/monthly_quota"},
      {R"({"limits":{"monthly_reset_day":29}})", "/limits/monthly_reset_day"},
      {R"({"limits":{"rps":1}})", "/limits/rps"},
      {R"({"note":"renamed","weight":-1})", "/weight"},
  };
  for (const auto& [body, pointer] : cases) {
    refuses("PATCH", key_path(), body, pointer);
    auto object = boost::json::parse(body).as_object();
    object["key_value"] = "sk-another-0123456789";
    refuses("POST", keys_path(id_), boost::json::serialize(object), pointer);
  }
}

}  // namespace
}  // namespace akr
