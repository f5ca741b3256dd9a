#include "admin/admin_api.hpp"

#include <algorithm>
#include <thread>

#include "admin/admin_fixture.hpp"
#include "admin/endpoints.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

class AdminApiTest : public AdminFixture {};

std::string example_path(std::string_view pattern) {
  std::string path(pattern);
  if (const auto brace = path.find("{id}"); brace != std::string::npos) path.replace(brace, 4, "1");
  return path;
}

TEST_F(AdminApiTest, EveryEndpointButTwoAsksForASession) {
  make_service("a");
  const std::string valid = token();
  int open = 0;
  for (const Endpoint& endpoint : endpoints()) {
    if (endpoint.access == Access::kPublic) {
      ++open;
      continue;
    }
    std::string first_body;
    const AdminRequest bare = request(std::string(endpoint.method), example_path(endpoint.path), "{}");
    for (const HeaderList& credentials : {HeaderList{},
                                          {{"authorization", ""}},
                                          {{"authorization", "Bearer "}},
                                          {{"authorization", "Bearer garbage"}},
                                          {{"authorization", "Basic YWRtaW46YWRtaW4="}},
                                          {{"authorization", valid}},
                                          {{"authorization", "Bearer " + valid + "x"}},
                                          {{"cookie", "akr_session="}},
                                          {{"cookie", "akr_session=x"}},
                                          {{"cookie", "other=" + valid}},
                                          {{"cookie", "akr_session=" + valid + "; akr_session=x"}},
                                          {{"authorization", "Bearer " + valid}, {"authorization", "Bearer " + valid}},
                                          {{"authorization", "Bearer garbage"}, {"cookie", "akr_session=" + valid}},
                                          {{"x-proxy-key", valid}},
                                          {{"x-original-url", "/admin/app-config"}}}) {
      AdminRequest made = bare;
      made.headers.insert(made.headers.end(), credentials.begin(), credentials.end());
      made.query = "access_token=" + valid + "&token=" + valid;
      const auto answer = send(made);
      EXPECT_EQ(answer.status, 401) << endpoint.method << " " << endpoint.path;
      EXPECT_EQ(header(answer, "WWW-Authenticate"), "Bearer");
      if (first_body.empty()) first_body = answer.body;
      EXPECT_EQ(answer.body, first_body);
    }
  }
  EXPECT_EQ(open, 2);
  EXPECT_EQ(array(call("GET", "/admin/proxy-configs")).size(), 1U);  // nothing happened
}

TEST_F(AdminApiTest, OtherSpellingsOfAPathReachNothing) {
  for (const char* path : {"/ADMIN/app-config", "//admin/app-config", "/admin;x/app-config", "/%61dmin/app-config",
                           "/llm/../admin/app-config", "/admin//app-config", "/admin/./app-config", "/adminzzz",
                           "/admin", "/admin/", "/admin/app-config//", "", "/", "/admin/proxy-configs//keys"}) {
    const auto answer = send(request("GET", path));
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(json(answer).at("error").as_string(), "Route not found");
  }
  EXPECT_EQ(send(request("GET", "/admin/app-config/")).status, 200);
  EXPECT_EQ(send(request("HEAD", "/admin/app-config")).status, 200);
}

// Everything was looked up twice per call: for the body's limit, and again for the handler.
TEST_F(AdminApiTest, WhatWasAdmittedIsNotLookedUpAgain) {
  const std::string path = keys_path(make_service("a"));
  AdminRequest made = request("GET", path);
  made.headers.emplace_back("authorization", "Bearer " + token());
  AdminAdmission admission = api_->admit(made);
  ASSERT_NE(admission.endpoint, nullptr);
  EXPECT_EQ(admission.endpoint->path, "/admin/proxy-configs/{id}/keys");
  EXPECT_EQ(admission.ids, std::vector<std::string_view>{"1"});
  // No second look-up or check finds anything in this.
  made.method = "BREW";
  made.headers.clear();
  const AdminResponse answer = api_->handle(made, std::move(admission));
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(api_->admit(request("GET", "/admin/nowhere")).endpoint, nullptr);
}

TEST_F(AdminApiTest, AWrongMethodIsToldWhichAreRight) {
  const auto answer = call("PATCH", "/admin/proxy-configs");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(header(answer, "Allow"), "GET, HEAD, POST");
  EXPECT_EQ(send(request("get", "/admin/app-config")).status, 405);
  EXPECT_EQ(send(request("OPTIONS", "/admin/login")).status, 405);
}

TEST_F(AdminApiTest, EveryAnswerCarriesTheSameSafeHeaders) {
  for (const auto& answer : {send(request("GET", "/admin/app-config")), send(request("GET", "/admin/nothing")),
                             call("GET", "/admin/proxy-configs")}) {
    EXPECT_EQ(header(answer, "Cache-Control"), "no-store");
    EXPECT_EQ(header(answer, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(header(answer, "X-Frame-Options"), "DENY");
    EXPECT_EQ(header(answer, "X-Request-Id"), "req_1");
    for (const auto& [name, value] : answer.headers) EXPECT_FALSE(istarts_with(name, "access-control"));
  }
}

TEST_F(AdminApiTest, AppConfigIsPublicAndHasTheOriginalsMember) {
  const auto body = json(send(request("GET", "/admin/app-config")));
  EXPECT_EQ(body.at("proxy_public_base_url").as_string(), "https://gw.example/base");
  EXPECT_EQ(body.at("languages").as_array().size(), 2U);
  EXPECT_EQ(body.at("login_methods").as_array().size(), 1U);
}

TEST_F(AdminApiTest, ProblemsReadLikeTheOriginalsErrorsToo) {
  const auto answer = call("GET", "/admin/proxy-configs/99");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(header(answer, "Content-Type"), "application/problem+json");
  const auto body = json(answer);
  for (const char* member : {"error", "detail", "message"}) EXPECT_EQ(body.at(member).as_string(), "Config not found");
  EXPECT_EQ(body.at("code").as_string(), "not_found");
  EXPECT_EQ(body.at("status").as_int64(), 404);
  EXPECT_EQ(body.at("request_id").as_string(), "req_1");
  EXPECT_EQ(body.at("instance").as_string(), "/admin/proxy-configs/99#req_1");
  EXPECT_EQ(body.at("type").as_string(), "/docs/problems/not_found");
}

TEST_F(AdminApiTest, LoginAnswersAsTheOriginalAndGivesAToken) {
  const auto answer =
      send(request("POST", "/admin/login", R"({"username":"admin","password":"correct horse battery"})"));
  EXPECT_EQ(answer.status, 200);
  const auto body = json(answer);
  EXPECT_EQ(body.at("message").as_string(), "Login successful");
  EXPECT_TRUE(body.at("success").as_bool());
  EXPECT_EQ(body.at("token_type").as_string(), "bearer");
  EXPECT_EQ(body.at("expires_in").as_int64(), 12 * 3600);
  const std::string cookie = header(answer, "Set-Cookie");
  EXPECT_EQ(cookie, "akr_session=" + std::string(body.at("access_token").as_string()) +
                        "; HttpOnly; SameSite=Strict; Path=/base/admin; Max-Age=43200; Secure");

  const auto wrong = send(request("POST", "/admin/login", R"({"username":"admin","password":"x"})"));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(json(wrong).at("error").as_string(), "Invalid credentials");
  EXPECT_FALSE(json(wrong).at("success").as_bool());
  for (const char* bad : {"{}", "[]", "x", R"({"username":"admin"})", R"({"username":1,"password":"x"})",
                          R"({"username":"","password":""})"}) {
    const auto refused = send(request("POST", "/admin/login", bad));
    EXPECT_EQ(refused.status, 400) << bad;
    EXPECT_EQ(json(refused).at("error").as_string(), "Invalid request");
  }
  EXPECT_EQ(send(request("POST", "/admin/login")).status, 400);
}

TEST_F(AdminApiTest, GuessingIsThrottledAlsoInParallel) {
  std::atomic<int> answered = 0, throttled = 0;
  std::vector<std::thread> guessers;
  for (int i = 0; i < 64; ++i) {
    guessers.emplace_back([&, i] {
      const auto answer = send(
          request("POST", "/admin/login", R"({"username":"u)" + std::to_string(i % 3) + R"(","password":"guess"})"));
      ++(answer.status == 401 ? answered : throttled);
      if (answer.status == 429) EXPECT_EQ(header(answer, "Retry-After"), "900");
    });
  }
  for (std::thread& guesser : guessers) guesser.join();
  EXPECT_EQ(answered, 5);
  EXPECT_EQ(throttled, 59);
  AdminRequest elsewhere =
      request("POST", "/admin/login", R"({"username":"admin","password":"correct horse battery"})");
  EXPECT_EQ(send(elsewhere).status, 429);
  elsewhere.client_ip = "10.0.0.2";
  EXPECT_EQ(send(elsewhere).status, 200);
}

TEST_F(AdminApiTest, ACookieMayWriteOnlyFromOurOwnPages) {
  const auto with = [&](const std::string& method, const HeaderList& more) {
    AdminRequest made = request(method, "/admin/proxy-configs/1", method == "GET" ? "" : "{}");
    made.headers.emplace_back("cookie", "a=b; akr_session=" + token());
    made.headers.insert(made.headers.end(), more.begin(), more.end());
    return send(made).status;
  };
  make_service("a");
  EXPECT_EQ(with("GET", {}), 200);
  EXPECT_EQ(with("PUT", {{"sec-fetch-site", "same-origin"}}), 200);
  EXPECT_EQ(with("PUT", {{"sec-fetch-site", "none"}}), 200);
  EXPECT_EQ(with("PUT", {{"origin", "https://gw.example"}}), 200);
  EXPECT_EQ(with("PUT", {}), 403);
  EXPECT_EQ(with("PUT", {{"sec-fetch-site", "cross-site"}}), 403);
  EXPECT_EQ(with("PUT", {{"sec-fetch-site", "same-site"}, {"origin", "https://gw.example"}}), 403);
  EXPECT_EQ(with("PUT", {{"origin", "https://evil.example"}}), 403);
  EXPECT_EQ(with("PUT", {{"origin", "null"}}), 403);
  EXPECT_EQ(with("DELETE", {{"origin", "https://gw.example.evil"}}), 403);
}

// An https page counted as our own wherever the host was the same, whatever the client's connection said.  Stands for:
// an origin is scheme and host, and only those whom the operator named say https.
TEST_F(AdminApiTest, AnHttpsPageIsOursOnlyIfTheClientSpeaksHttps) {
  make_service("a");
  const auto with = [&](const std::string& host, const std::string& origin, bool https) {
    AdminRequest made = request("PUT", "/admin/proxy-configs/1", "{}");
    std::erase_if(made.headers, [](const auto& header) { return header.first == "host"; });
    made.headers.emplace_back("host", host);
    made.headers.emplace_back("cookie", "akr_session=" + token());
    made.headers.emplace_back("origin", origin);
    made.https = https;
    return send(made).status;
  };
  EXPECT_EQ(with("other.example", "https://other.example", false), 403);
  EXPECT_EQ(with("other.example", "https://other.example", true), 200);  // TLS, or a trusted proxy says so
  EXPECT_EQ(with("other.example", "http://other.example", false), 200);
  EXPECT_EQ(with("other.example", "http://other.example", true), 403);  // a page that anybody between could write
  EXPECT_EQ(with("gw.example", "https://gw.example", false), 200);      // PROXY_PUBLIC_BASE_URL says so
  EXPECT_EQ(with("gw.example:80", "https://gw.example", false), 403);
}

TEST_F(AdminApiTest, BodiesMustBeDeclaredAsJson) {
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"}) {
    AdminRequest made = request("POST", "/admin/login");
    made.body = R"({"username":"admin","password":"correct horse battery"})";
    if (*type != '\0') made.headers.emplace_back("content-type", type);
    EXPECT_EQ(send(made).status, 415) << type;
  }
  AdminRequest made = request("POST", "/admin/login");
  made.body = R"({"username":"admin","password":"correct horse battery"})";
  made.headers.emplace_back("content-type", "Application/JSON; charset=utf-8");
  EXPECT_EQ(send(made).status, 200);
}

TEST_F(AdminApiTest, BrokenJsonIsABadRequestEverywhere) {
  make_service("a");
  for (const Endpoint& endpoint : endpoints()) {
    if (endpoint.method == "GET" || endpoint.method == "DELETE") continue;
    for (const std::string& bad : {std::string("{"), std::string("null"), std::string("{\"a\":}"), std::string("\xff"),
                                   std::string(5000, '[')}) {
      EXPECT_EQ(call(std::string(endpoint.method), example_path(endpoint.path), bad).status, 400)
          << endpoint.path << " " << bad.substr(0, 10);
    }
  }
}

TEST_F(AdminApiTest, AnotherEncryptionKeyAnswersStorageLockedAndChangesNothing) {
  make_service("a");
  const auto locked =
      open_database({.at = sqlite_file(directory_.file("test.db")), .encryption_key = Secret(std::string(32, 'x'))});
  ASSERT_TRUE(locked);
  std::shared_ptr<const RoutingTable> published;
  Publisher publisher((*locked)->config(), *cluster_, {}, [&](auto table) { published = std::move(table); });
  EXPECT_EQ(publisher.refresh().error().code, ErrorCode::kLocked);
  EXPECT_EQ(published, nullptr);
  AdminSettings settings{.username = "admin",
                         .password = PasswordVerifier::plain(Secret(kPassword)),
                         .session_secret = Secret(std::string(32, 's'))};
  AdminApi api(settings, (*locked)->config(), publisher, clock_);
  AdminRequest made = request("POST", "/admin/proxy-configs/1/keys", R"({"key_value":"sk-0123456789abcdef"})");
  made.headers.emplace_back("authorization", "Bearer " + token());
  const auto refused = api.handle(made);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(json(refused).at("code").as_string(), "storage_locked");
  EXPECT_EQ(call("GET", "/admin/proxy-configs/1/keys").body, "[]");
}

TEST_F(AdminApiTest, OddIdsAreRefusedAsInTheOriginal) {
  for (const char* id : {"abc", "1e1", "2147483648", "9223372036854775808", "1 OR 1=1", "١", "0x1", "+1", "--1", "-"}) {
    const auto answer = call("DELETE", std::string("/admin/keys/") + id);
    EXPECT_EQ(answer.status, 400) << id;
    EXPECT_EQ(json(answer).at("error").as_string(), "Invalid key ID");
  }
  for (const char* id : {"0", "-1", "99", "2147483647"}) {
    const auto answer = call("DELETE", std::string("/admin/keys/") + id);
    EXPECT_EQ(answer.status, 404) << id;
    EXPECT_EQ(json(answer).at("error").as_string(), "API key not found");
  }
}

}  // namespace
}  // namespace akr
