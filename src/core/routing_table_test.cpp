#include "core/routing_table.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

RoutedService routed(ServiceType type, std::string slug, bool active = true) {
  RoutedService service;
  service.config.type = type;
  service.config.slug = std::move(slug);
  service.config.active = active;
  return service;
}

std::vector<RoutedService> services() {
  std::vector<RoutedService> list;
  list.push_back(routed(ServiceType::kGeneric, "weather"));
  list.push_back(routed(ServiceType::kLlm, "openai"));
  list.push_back(routed(ServiceType::kLlm, "off", false));
  return list;
}

TEST(RoutingTable, SplitsSlugRestAndQuery) {
  const RoutingTable table(services());
  const auto match = table.match("/llm/openai/v1/chat%2Fx?a=1?b");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->service, &table.services()[1]);
  EXPECT_EQ(match->rest, "/v1/chat%2Fx");
  EXPECT_EQ(match->query, "a=1?b");
}

TEST(RoutingTable, ABareSlugHasNoRest) {
  const RoutingTable table(services());
  EXPECT_EQ(table.match("/proxy/weather")->rest, "");
  EXPECT_EQ(table.match("/proxy/weather/")->rest, "/");
  EXPECT_EQ(table.match("/proxy/weather//x")->rest, "//x");
  EXPECT_EQ(table.match("/proxy/weather?q=/x")->rest, "");
  EXPECT_EQ(table.match("/proxy/weather?q=/x")->query, "q=/x");
  EXPECT_EQ(table.match("/proxy/weather?")->query, "");
}

TEST(RoutingTable, UnknownDisabledAndMistypedAreNotFoundAlike) {
  const RoutingTable table(services());
  for (const char* target :
       {"/llm/off/x", "/llm/nope", "/llm/weather/x", "/proxy/openai/x", "/proxy/Weather", "/proxy/%77eather", "/proxy/",
        "/llm/", "/proxy", "/", "", "*", "proxy/weather", "//proxy/weather", "/PROXY/weather", "/admin/login"}) {
    const auto match = table.match(target);
    ASSERT_FALSE(match) << target;
    EXPECT_EQ(match.error().code, ErrorCode::kServiceNotFound) << target;
  }
}

TEST(RoutingTable, QuotesOnlyHarmlessSlugs) {
  const RoutingTable table(services());
  EXPECT_NE(table.match("/llm/nope").error().message.find("'nope'"), std::string::npos);
  EXPECT_EQ(table.match("/llm/<script>").error().message, "no such service");
  EXPECT_EQ(table.match("/llm/" + std::string(5000, 'x')).error().message, "no such service");
}

TEST(RoutingTable, HoldsNothing) {
  const RoutingTable table({});
  EXPECT_FALSE(table.match("/llm/openai"));
}

}  // namespace
}  // namespace akr
