// Bytes that are no UTF-8 (a compressed error, Latin-1, a character that we had cut in two) went from upstreams and
// clients into text of ours, and the JSON around them could not be read any more: key lists, error bodies, log lines.
// Hostile bytes go in at every door here, and each text that comes out is parsed strictly.
#include "base/utf8.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/strings.hpp"
#include "tests/support/compress.hpp"
#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

namespace json = boost::json;
using test::ChangingScript;
using test::FakeUpstream;
using test::HttpAnswer;
using test::TestGateway;
using test::UpstreamCall;

const std::string kHostile = "\xff\xfe caf\xe9 \xc3\x28 \xed\xa0\x80 \xf4\x90\x80\x80 \xe5\xaf";

// Is `text` JSON in valid UTF-8?  Boost is strict about both.
bool parses(const std::string& text) {
  json::error_code failure;
  const json::value value = json::parse(text, failure);
  return is_utf8(text) && !failure && value.is_object();
}

class Utf8 : public ::testing::Test {
 protected:
  HttpAnswer keys(std::int64_t service) {
    return gateway_.admin("GET", "/admin/proxy-configs/" + std::to_string(service) + "/keys");
  }
  void expect_list(std::int64_t service) {
    const HttpAnswer list = keys(service);
    json::error_code failure;
    json::parse(list.body, failure);
    EXPECT_TRUE(!failure && is_utf8(list.body)) << list.body;
    EXPECT_NE(list.body.find("last_error"), std::string::npos) << "nothing to look at";
  }

  ChangingScript script_;
  FakeUpstream upstream_{[this](UpstreamCall& call) { script_(call); }};
  TestGateway gateway_{{{"ACCESS_LOG", "true"}, {"LOG_LEVEL", "debug"}}};
};

TEST_F(Utf8, LastErrorsOfRestServices) {
  struct Case {
    const char* slug;
    std::string body;
    const char* fields;
  };
  // The last one is cut at 300 bytes inside of a character, after 1, 2 and 3 bytes of it.
  const Case cases[] = {{"raw", kHostile, ""},
                        {"gzip", test::gzip(R"({"error":"quota exceeded"})"), "Content-Encoding: gzip\r\n"},
                        {"odd", test::gzip("x").substr(0, 15) + kHostile, "Content-Encoding: gzip\r\n"},
                        {"cut-1", std::string(299, 'x') + "🔑🔑", ""},
                        {"cut-2", std::string(298, 'x') + "🔑🔑", ""},
                        {"cut-3", std::string(297, 'x') + "🔑🔑", ""}};
  for (const Case& c : cases) {
    const auto id = gateway_.add_service({.slug = c.slug, .target_url = upstream_.url()});
    script_ = [&](UpstreamCall& call) { call.answer(403, c.body, c.fields); };
    gateway_.get(std::string("/proxy/") + c.slug + "/a");
    expect_list(id);
    if (std::string_view(c.slug) == "gzip") EXPECT_NE(keys(id).body.find("quota exceeded"), std::string::npos);
  }
}

TEST_F(Utf8, ErrorsInEachDialect) {
  for (const std::string format : {"openai_compatible", "anthropic_native", "gemini_native"}) {
    for (const std::string& words :
         {kHostile, std::string(2046, 'x') + "🔑", std::string(299, 'x') + "🔑", std::string(498, 'y') + "密密"}) {
      const std::string slug = format.substr(0, 4) + std::to_string(words.size());
      const auto id =
          gateway_.add_service({.slug = slug, .target_url = upstream_.url(), .llm = true, .api_format = format});
      script_ = [&](UpstreamCall& call) {
        call.answer(401, R"({"type":"error","error":{"message":")" + words + R"(","type":"authentication_error"}})");
      };
      const HttpAnswer answer = gateway_.post("/llm/" + slug + "/v1/x", "{}");
      EXPECT_EQ(answer.status, 502);
      EXPECT_TRUE(parses(answer.body)) << answer.body;
      expect_list(id);
    }
  }
}

TEST_F(Utf8, LogLines) {
  std::string log;
  {
    const test::CapturedOutput output;
    gateway_.add_service({.target_url = upstream_.url(), .keys = 2});
    script_ = [](UpstreamCall& call) { call.answer(401, kHostile); };
    gateway_.get("/proxy/s/a", "X-Request-Id: " + kHostile + "\r\n");
    gateway_.get("/proxy/" + kHostile.substr(8) + "/a");
    gateway_.get("/proxy/s/%ff%fe", "User-Agent: " + kHostile + "\r\n");
    gateway_.admin("GET", "/admin/%ff");
    gateway_.app().drain([] { return false; });
    gateway_.stop();
    log = output.text();
  }
  int lines = 0;
  for (const std::string_view line : split(log, '\n')) {
    if (!line.starts_with('{')) continue;
    ++lines;
    EXPECT_TRUE(parses(std::string(line))) << line;
  }
  EXPECT_GE(lines, 2) << log;
}

TEST_F(Utf8, WhatClientsSend) {
  const std::string access = "X-Proxy-Key: " + std::string(TestGateway::kAccessKey) + "\r\n";
  for (const std::string& path : {std::string("/proxy/\xff\xfe/a"), std::string("/llm/caf\xe9/v1/messages"),
                                  std::string("/proxy/%ff%fe"), std::string("/proxy/密/a")}) {
    const HttpAnswer answer = gateway_.client().ask(TestGateway::request("GET", path, access));
    EXPECT_GE(answer.status, 400);
    EXPECT_TRUE(parses(answer.body)) << path << "\n" << answer.body;
  }
  EXPECT_TRUE(parses(gateway_.admin("GET", "/admin/\xff").body));
  EXPECT_TRUE(parses(gateway_.admin("POST", "/admin/login", "{\"username\":\"" + kHostile + "\"}").body));
  EXPECT_TRUE(parses(gateway_.admin("GET", "/admin/proxy-configs/\xff\xff").body));
}

TEST_F(Utf8, ValuesThatAreQuotedAreCutBetweenCharacters) {
  for (std::size_t before = 37; before <= 40; ++before) {
    const std::string policy = std::string(before, 'p') + "🔑🔑";
    const HttpAnswer answer =
        gateway_.admin("POST", "/admin/proxy-configs",
                       R"({"name":"n","slug":"n","config_type":"GENERIC","method":"ANY","target_url":")" +
                           upstream_.url() + R"(","selection_policy":")" + policy + "\"}");
    EXPECT_EQ(answer.status, 422) << answer.body;
    EXPECT_TRUE(parses(answer.body)) << answer.body;
    EXPECT_EQ(answer.body.find("\xef\xbf\xbd"), std::string::npos) << "cut inside of a character";
  }
}

}  // namespace
}  // namespace akr
