#include "admin/admin_fixture.hpp"

namespace akr {
namespace {

using AdminOutage = AdminFixture;

TEST_F(AdminOutage, AServiceSaysWhileItsUpstreamIsToBlame) {
  const std::int64_t id = make_service("a");
  const std::string path = "/admin/proxy-configs/" + std::to_string(id);
  call("POST", keys_path(id) + "/batch", R"({"keys":["key-number-0000001","k-2","k-3","k-4"]})");
  EXPECT_FALSE(json(call("GET", path)).contains("outage"));

  const auto pool = publisher_->pool(ServiceId{id});
  for (int i = 0; i < 4 && !pool->outage().suspected; ++i) {
    pool->select({}, clock_.now()).value().report({.key = KeyAction::kForbid, .reason = "http_403"}, clock_.now());
  }
  const auto shown = json(call("GET", path));
  EXPECT_EQ(shown.at("outage").at("reason").as_string(), "http_403");
  EXPECT_TRUE(shown.at("outage").at("since").is_string());
  EXPECT_EQ(shown.at("key_counts").at("cooling").as_int64(), 0);

  clock_.advance(std::chrono::seconds(2));
  pool->select({}, clock_.now()).value().report({.key = KeyAction::kGood}, clock_.now());
  EXPECT_FALSE(json(call("GET", path)).contains("outage"));
}

}  // namespace
}  // namespace akr
