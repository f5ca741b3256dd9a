#include "proxy/request/body_key.hpp"

#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/example_config.hpp"
#include "tests/support/request_fixture.hpp"

namespace akr {
namespace {

struct Taken {
  std::string key;
  std::string body;
  friend bool operator==(const Taken&, const Taken&) = default;
  // NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
  friend void PrintTo(const Taken& taken, std::ostream* out) { *out << "'" << taken.key << "' of " << taken.body; }
};

class BodyKey : public testing::Test {
 protected:
  Taken take(const std::string& body) {
    Taken taken;
    fixture_.run("GET /proxy/s/a HTTP/1.1\r\nHost: h\r\n\r\n", [&](RequestContext& ctx) {
      PreparedRequest request(ctx.client, "/tmp");
      request.body.set_view(body);
      taken.key = take_body_key(request);
      taken.body = std::string(request.body.in_memory());
    });
    return taken;
  }
  test::RequestFixture fixture_{example_service("s")};
};

TEST_F(BodyKey, IsCutWithOneCommaAndNothingElse) {
  EXPECT_EQ(take(R"({"api_key":"k","a":1})"), (Taken{"k", R"({"a":1})"}));
  EXPECT_EQ(take(R"({"a":1,"api_key":"k"})"), (Taken{"k", R"({"a":1})"}));
  EXPECT_EQ(take(R"({"a":1,"api_key":"k","b":2})"), (Taken{"k", R"({"a":1,"b":2})"}));
  EXPECT_EQ(take(R"({"api_key":"k"})"), (Taken{"k", "{}"}));
}

TEST_F(BodyKey, SpacesNumbersAndEscapesOfTheRestStay) {
  EXPECT_EQ(take("{ \"a\" : 1.50e0 ,\r\n\t\"api_key\" : \"k\" , \"b\":\"\\u00e9\\/\" }\n"),
            (Taken{"k", "{ \"a\" : 1.50e0 ,\r\n\t\"b\":\"\\u00e9\\/\" }\n"}));
  EXPECT_EQ(take("{\"a\":[1, 2] , \"api_key\":\"k\"  }"), (Taken{"k", "{\"a\":[1, 2]   }"}));
}

TEST_F(BodyKey, TheValueIsDecoded) { EXPECT_EQ(take(R"({"api_key":"\u006b\"","a":1})"), (Taken{"k\"", R"({"a":1})"})); }

// The name was compared as written, so "api\u005fkey" carried the client's access key to the upstream.
TEST_F(BodyKey, TheNameIsDecoded) { EXPECT_EQ(take(R"({"api\u005fkey":"k","a":1})"), (Taken{"k", R"({"a":1})"})); }

TEST_F(BodyKey, OnlyTheTopLevelCounts) {
  const std::string nested = R"({"a":{"api_key":"k"},"b":["api_key"]})";
  EXPECT_EQ(take(nested), (Taken{"", nested}));
}

TEST_F(BodyKey, TwoOfThemAreNone) {
  const std::string twice = R"({"api_key":"k","api_key":"other"})";
  EXPECT_EQ(take(twice), (Taken{"", twice}));
}

TEST_F(BodyKey, WhatIsNoSuchObjectStaysAsItIs) {
  for (const std::string body : {R"({"api_key":1})", R"({"api_key":null})", R"(["api_key","k"])", "\"api_key\"", "",
                                 "{", R"({"api_key":"k")", R"({"a":1})", "not json"}) {
    EXPECT_EQ(take(body), (Taken{"", body})) << body;
  }
}

}  // namespace
}  // namespace akr
