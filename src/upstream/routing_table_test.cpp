#include "upstream/routing_table.hpp"

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

// ---- fallbacks

RoutedService numbered(std::int64_t id, std::string slug, std::vector<ServiceId> fallbacks = {}) {
  RoutedService service = routed(ServiceType::kLlm, std::move(slug));
  service.config.id = ServiceId{id};
  service.config.api_format = "openai_compatible";
  service.config.fallbacks = std::move(fallbacks);
  return service;
}

TEST(RoutingTable, FindsFallbacksInTheirOrder) {
  std::vector<RoutedService> list;
  list.push_back(numbered(1, "a", {ServiceId{3}, ServiceId{2}}));
  list.push_back(numbered(2, "b", {ServiceId{1}}));
  list.push_back(numbered(3, "c"));
  const RoutingTable table(std::move(list));
  const auto& services = table.services();
  EXPECT_EQ(services[0].fallbacks, (std::vector<const RoutedService*>{&services[2], &services[1]}));
  EXPECT_EQ(services[1].fallbacks, (std::vector<const RoutedService*>{&services[0]}));
  EXPECT_TRUE(services[2].fallbacks.empty());
  EXPECT_TRUE(table.left_out_fallbacks().empty());
}

TEST(RoutingTable, LeavesOutFallbacksThatCannotStandIn) {
  std::vector<RoutedService> list;
  list.push_back(
      numbered(1, "a", {ServiceId{1}, ServiceId{9}, ServiceId{2}, ServiceId{3}, ServiceId{4}, ServiceId{5}}));
  list.push_back(numbered(2, "off"));
  list.back().config.active = false;
  list.push_back(numbered(3, "claude"));
  list.back().config.api_format = "anthropic_native";
  list.push_back(numbered(4, "rest"));
  list.back().config.type = ServiceType::kGeneric;
  list.push_back(numbered(5, "good"));
  const RoutingTable table(std::move(list));
  const auto& services = table.services();
  EXPECT_EQ(services[0].fallbacks, (std::vector<const RoutedService*>{&services[4]}));
  const std::vector<LeftOutFallback> expected = {{"a", ServiceId{1}, "a service is no fallback of its own"},
                                                 {"a", ServiceId{9}, "there is no such service"},
                                                 {"a", ServiceId{2}, "it is switched off"},
                                                 {"a", ServiceId{3}, "its clients speak another format"},
                                                 {"a", ServiceId{4}, "its clients speak another format"}};
  EXPECT_EQ(table.left_out_fallbacks(), expected);
}

TEST(RoutingTable, HoldsNothing) {
  const RoutingTable table({});
  EXPECT_FALSE(table.match("/llm/openai"));
}

}  // namespace
}  // namespace akr
