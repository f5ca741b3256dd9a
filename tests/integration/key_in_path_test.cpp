// key_in_path_test.cpp - the upstream key as a part of the URL's path: it gets there, and shows nowhere else.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using test::CapturedOutput;
using test::FakeUpstream;
using test::HttpAnswer;
using test::TestGateway;
using test::UpstreamCall;

constexpr const char* kInPath = R"(,"api_key_location":"path","api_key_name":"","validation_path":"/me")";

// Infura, Alchemy and Telegram could not be pooled: no place for a key but header and query.
TEST(KeyInPath, ReachesTheUpstreamAlsoOnRetriesAndFallbacks) {
  FakeUpstream upstream([](UpstreamCall& call) {
    const std::string& target = call.request().target;
    call.answer(target.find(TestGateway::key("s", 1)) != std::string::npos ? 429 : 200, "ok");
  });
  TestGateway gateway;
  gateway.add_service({.target_url = upstream.url("/v3/{key}"), .keys = 2, .more = kInPath});
  const auto bot = gateway.add_service({.slug = "bot", .target_url = upstream.url("/bot{key}"), .more = kInPath});
  gateway.add_service({.slug = "empty",
                       .target_url = upstream.url(),
                       .keys = 0,
                       .more = R"(,"fallbacks":[)" + std::to_string(bot) + "]"});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(gateway.get("/proxy/s/a%20b?c=1&key=x").status, 200);
  EXPECT_EQ(upstream.last().target, "/v3/" + TestGateway::key("s", 2) + "/a%20b?c=1&key=x");
  EXPECT_EQ(upstream.last().count("authorization"), 0U);
  EXPECT_EQ(gateway.get("/proxy/bot/getMe").status, 200);
  EXPECT_EQ(upstream.last().target, "/bot" + TestGateway::key("bot", 1) + "/getMe");
  EXPECT_EQ(gateway.get("/proxy/empty/getMe").status, 200);
  EXPECT_EQ(upstream.last().target, "/bot" + TestGateway::key("bot", 1) + "/getMe");
  EXPECT_EQ(gateway.admin("POST", "/admin/keys/2/validate").status, 200);
  EXPECT_EQ(upstream.last().target, "/v3/" + TestGateway::key("s", 2) + "/me");
}

std::string all_files(const std::filesystem::path& directory) {
  std::string all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    all += text.str();
  }
  return all;
}

// Says its whole target wherever an upstream may: reason, fields, Location, body.
void echo_target(UpstreamCall& call) {
  const std::string& target = call.request().target;
  if (target.ends_with("/garbage")) {
    call.send(call.request().head);
    return call.close();
  }
  if (target.ends_with("/silent")) {
    call.wait_for_close();
    return;
  }
  const std::string status = target.substr(target.size() - 3);
  const std::string body = "no such thing: " + target;
  call.send("HTTP/1.1 " + (status == "/me" ? "404" : status) + " at " + target + "\r\nX-Echo: " + target +
            "\r\nLocation: https://up.example" + target + "/next\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body);
}

// The kind: a key in a new place, that the masks of the old places do not cover.
TEST(KeyInPath, AppearsNowhereElse) {
  constexpr std::string_view kCanary = "upstream-key-";  // every key of TestGateway begins so
  std::string answers, log, files;
  std::string location;
  {
    const CapturedOutput output;  // also takes reports of gtest, so nothing is expected in here
    FakeUpstream upstream(echo_target);
    TestGateway gateway({{"LOG_LEVEL", "debug"}, {"ACCESS_LOG", "true"}});
    gateway.add_service({.target_url = upstream.url("/bot{key}"),
                         .keys = 10,
                         .more = std::string(kInPath) + R"(,"first_byte_timeout_ms":100)"});
    for (const char* path : {"/404", "/302", "/401", "/403", "/429", "/500", "/garbage", "/silent"}) {
      const HttpAnswer answer = gateway.get("/proxy/s" + std::string(path));
      answers += answer.head + answer.body;
      if (answer.status == 302) location = answer.field("location");
    }
    for (const char* path :
         {"/admin/proxy-configs", "/admin/proxy-configs/1", "/admin/proxy-configs/1/keys", "/admin/status"}) {
      answers += gateway.admin("GET", path).body;
    }
    answers += gateway.admin("POST", "/admin/keys/1/validate").body;
    answers += gateway.admin("POST", "/admin/simulate", R"({"slug":"s"})").body;
    for (const char* path : {"/metrics", "/readyz"}) answers += gateway.get(path).body;
    gateway.app().drain([] { return false; });
    gateway.stop();
    log = output.text();
    files = all_files(gateway.directory().path());
  }
  EXPECT_EQ(location, "https://up.example/bot" + std::string(TestGateway::key("s", 1).size(), '*') + "/302/next");
  EXPECT_NE(log.find("\"path\":\"/proxy/s/404\""), std::string::npos) << "no access log to look at";
  EXPECT_NE(answers.find("/bot{key}"), std::string::npos);
  for (const std::string* text : {&answers, &log, &files}) EXPECT_EQ(text->find(kCanary), std::string::npos);
}

TEST(KeyInPath, TheAdministratorIsToldWhatIsWrong) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  TestGateway gateway;
  const auto add = [&](const std::string& url, const std::string& more) {
    return gateway.admin(
        "POST", "/admin/proxy-configs",
        R"({"name":"n","slug":"n","config_type":"GENERIC","method":"ANY","target_url":")" + url + "\"" + more + "}");
  };
  for (const char* url : {"/v3", "/{key}/{key}", "/v3?key={key}"}) {
    const HttpAnswer answer = add(upstream.url(url), R"(,"api_key_location":"path")");
    EXPECT_EQ(answer.status, 422) << url;
    EXPECT_NE(answer.body.find("/target_url"), std::string::npos) << answer.body;
  }
  EXPECT_EQ(add(upstream.url("/{key}"), R"(,"api_key_name":"X-Key")").status, 422);
  const HttpAnswer made = add(upstream.url("/{key}"), R"(,"api_key_location":"path")");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_NE(made.body.find(R"("api_key_location":"path")"), std::string::npos) << made.body;
  const HttpAnswer moved =
      gateway.admin("PUT", "/admin/proxy-configs/1",
                    R"({"target_url":")" + upstream.url("/v3") + R"(","api_key_location":"query","api_key_name":"k"})");
  EXPECT_EQ(moved.status, 200) << moved.body;
}

}  // namespace
}  // namespace akr
