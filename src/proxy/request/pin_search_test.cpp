// What it costs to look for names, and that nobody pays for another's.
#include "proxy/request/pin_search.hpp"

#include <functional>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "core/pins/pin_table.hpp"
#include "proxy/request/unpacking_place.hpp"
#include "tests/support/request_fixture.hpp"

namespace akr {
namespace {

Service gemini() {
  Service service;
  service.slug = "s";
  service.type = ServiceType::kLlm;
  service.api_format = "gemini_native";
  service.target_url = "https://up.example";
  return service;
}

std::string uris(std::size_t count, const std::function<std::string(std::size_t)>& value) {
  std::string body = R"({"fileUri":["")";
  for (std::size_t i = 0; i < count; ++i) body += ",\"" + value(i) + "\"";
  return body + "]}";
}

int effort_of(const std::string& body, const std::string& type = "application/json", bool* unread = nullptr) {
  PinTable table("a key for hashing that is long");
  int effort = 0;
  test::RequestFixture(gemini()).run(
      "POST /llm/s/v1beta/models/m:generateContent HTTP/1.1\r\nHost: g\r\nContent-Length: 0\r\nContent-Type: " + type +
          "\r\n\r\n",
      [&](RequestContext& ctx) {
        PinSearch search(ctx, {.table = &table});
        search.look_into(body);
        search.end_body();
        effort = search.effort();
        if (unread != nullptr) *unread = search.unread();
      });
  return effort;
}

bool at_once(const std::string& body) {
  bool result = false;
  test::RequestFixture(gemini()).run("POST /llm/s/a HTTP/1.1\r\nHost: g\r\nContent-Length: 0\r\n\r\n",
                                     [&](RequestContext& ctx) {
                                       PreparedRequest request(ctx.client, "/tmp");
                                       request.body.set_view(body);
                                       result = is_read_at_once(ctx.client.head(), request);
                                     });
  return result;
}

// A value that is spelled oddly was taken apart each time it came, although its ids were looked up only once: 74 KiB
// that unpack to 50 MiB of "/." cost 1.5 s (kind: remember what costs, not what comes of it).
TEST(PinSearch, AValueThatRepeatsItselfCostsNothing) {
  EXPECT_LT(effort_of(uris(10'000, [](std::size_t) { return "/."; })), 500);
  EXPECT_GT(effort_of(uris(10'000, [](std::size_t i) { return "/" + std::to_string(i); })), 20'000);
}

// 60 KB of short values were looked up in one go of 18 ms, though turns share one (kind: a turn is bounded by what it
// costs and not by what it reads).
TEST(PinSearch, WhatNamesMuchIsReadInTurns) {
  const auto number = [](std::size_t i) { return "/" + std::to_string(i); };
  EXPECT_FALSE(at_once(uris(6'000, number)));
  EXPECT_TRUE(at_once(uris(300, number)));
  EXPECT_TRUE(at_once(R"({"x":")" + std::string(60'000, 'x') + R"("})"));
  EXPECT_FALSE(at_once("[" + std::string(60'000, ',') + "]"));
  EXPECT_FALSE(at_once(std::string(70'000, 'x')));
  EXPECT_FALSE(at_once(std::string(60'000, '&'))) << "a form";
}

TEST(PinSearch, AFieldOfAFormIsNoTurnOfItsOwn) {
  const auto form = [](const std::string& json) {
    return "--x\r\nContent-Disposition: form-data; name=session\r\n\r\n" + json + "\r\n--x--\r\n";
  };
  bool unread = false;
  const auto number = [](std::size_t i) { return "/" + std::to_string(i); };
  EXPECT_LT(effort_of(form(uris(6'000, number)), "multipart/form-data; boundary=x", &unread), 5'000);
  EXPECT_TRUE(unread);
  EXPECT_GT(effort_of(form(uris(200, number)), "multipart/form-data; boundary=x", &unread), 300);
  EXPECT_FALSE(unread);
}

// Forty packed bodies of one access key took all places, and another one's waited for seconds (kind: what all share,
// nobody has alone).
TEST(UnpackingPlace, IsLeftForOthers) {
  const UnpackingPlace one("alice");
  std::optional<UnpackingPlace> two(std::in_place, "alice");
  EXPECT_FALSE(UnpackingPlace::is_free("alice"));
  ASSERT_TRUE(UnpackingPlace::is_free("bob"));
  const UnpackingPlace three("bob");
  const UnpackingPlace four("bob");
  EXPECT_FALSE(UnpackingPlace::is_free("carol"));
  two.reset();
  EXPECT_TRUE(UnpackingPlace::is_free("carol"));
  EXPECT_TRUE(UnpackingPlace::is_free("alice"));
  EXPECT_FALSE(UnpackingPlace::is_free("bob"));
}

}  // namespace
}  // namespace akr
