#include "core/service/upstreams_json.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/member_reader.hpp"

namespace akr {
namespace {

// As the store keeps them.
std::string write_upstreams(std::span<const Upstream> upstreams) {
  return boost::json::serialize(upstreams_to_json(upstreams));
}
std::string write_fallbacks(std::span<const ServiceId> fallbacks) {
  return boost::json::serialize(fallbacks_to_json(fallbacks));
}

Result<std::vector<Upstream>> parse_upstreams(std::string_view text) {
  const auto value = parse_json_text(text, "upstreams");
  if (!value) return value.error();
  return read_upstreams(*value);
}
Result<std::vector<ServiceId>> parse_fallbacks(std::string_view text) {
  const auto value = parse_json_text(text, "fallbacks");
  if (!value) return value.error();
  return read_fallbacks(*value);
}

TEST(UpstreamsJson, WhatWasWrittenIsReadBack) {
  const std::vector<Upstream> upstreams = {{.url = "https://a.example/v1?it's=\"odd\"", .weight = 0, .priority = -7},
                                           {.url = "https://b.example", .weight = 1'000'000, .priority = 1'000'000}};
  EXPECT_EQ(parse_upstreams(write_upstreams(upstreams)).value(), upstreams);
  const std::vector<ServiceId> fallbacks = {ServiceId{3}, ServiceId{5'000'000'000}};
  EXPECT_EQ(write_fallbacks(fallbacks), "[3,5000000000]");
  EXPECT_EQ(parse_fallbacks(write_fallbacks(fallbacks)).value(), fallbacks);
  EXPECT_TRUE(parse_upstreams("[]").value().empty());
  EXPECT_TRUE(parse_fallbacks("[]").value().empty());
}

TEST(UpstreamsJson, AbsentMembersAreTheDefaults) {
  const Upstream read = parse_upstreams(R"([{"url":"https://a.example"}])").value().front();
  EXPECT_EQ(read, (Upstream{.url = "https://a.example", .weight = 1, .priority = 0}));
}

TEST(UpstreamsJson, NamesTheMemberThatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "upstreams"},
      {"[", "upstreams"},
      {"[7]", "upstreams[0]"},
      {R"([{}])", "upstreams[0].url"},
      {R"([{"url":null}])", "upstreams[0].url"},
      {R"([{"url":"a"},{"url":"a","weight":-1}])", "upstreams[1].weight"},
      {R"([{"url":"a","weight":null}])", "upstreams[0].weight"},
      {R"([{"url":"a","weight":1000001}])", "upstreams[0].weight"},
      {R"([{"url":"a","weight":1e3}])", "upstreams[0].weight"},
      {R"([{"url":"a","priority":-1000001}])", "upstreams[0].priority"},
      {R"([{"url":"a","colour":1}])", "upstreams[0].colour"},
  };
  for (const auto& [text, field] : cases) {
    const auto read = parse_upstreams(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(read.error().field, field) << text;
    EXPECT_TRUE(read.error().message.starts_with(field)) << text;
  }
  EXPECT_EQ(parse_upstreams(R"([{"url":"a","weight":-1}])").error().message,
            "upstreams[0].weight must be a whole number from 0 to 1000000, not -1");
}

TEST(UpstreamsJson, FallbacksAreIdsOfServices) {
  const std::pair<const char*, const char*> cases[] = {
      {"3", "fallbacks"},          {"x", "fallbacks"},        {"[3,0]", "fallbacks[1]"}, {"[-3]", "fallbacks[0]"},
      {"[\"3\"]", "fallbacks[0]"}, {"[3.0]", "fallbacks[0]"}, {"[[3]]", "fallbacks[0]"}};
  for (const auto& [text, field] : cases) {
    const auto read = parse_fallbacks(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().field, field) << text;
  }
}

}  // namespace
}  // namespace akr
