// 1,500 logins with bodies of 1 MiB raised the gateway from 12 to 1,666 MiB.  Stands for: what somebody sends before we
// know who it is has a limit of its own, is read only when it may help, and all strangers together have a total.
#include <algorithm>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using test::eventually;
using test::HttpAnswer;
using test::HttpClient;
using test::TestGateway;

const std::string kJson = "Content-Type: application/json\r\n";

std::string login_head(std::size_t length) {
  return "POST /admin/login HTTP/1.1\r\nHost: h\r\n" + kJson + "Content-Length: " + std::to_string(length) + "\r\n\r\n";
}

std::string wrong_login() {
  return TestGateway::request("POST", "/admin/login", kJson, R"({"username":"a","password":"b"})");
}

TEST(StrangersMemory, ALoginHasEightKibibytes) {
  TestGateway gateway;
  HttpClient client = gateway.client();
  client.send(login_head(8193));
  const HttpAnswer refused = client.receive();
  EXPECT_EQ(refused.status, 413);
  EXPECT_NE(refused.body.find("8192 bytes"), std::string::npos) << refused.body;
  EXPECT_EQ(refused.field("connection"), "close");

  HttpClient chunked = gateway.client();
  chunked.send("POST /admin/login HTTP/1.1\r\nHost: h\r\n" + kJson + "Transfer-Encoding: chunked\r\n\r\n2004\r\n" +
               std::string(0x2004, ' ') + "\r\n");
  EXPECT_EQ(chunked.receive().status, 413);
}

TEST(StrangersMemory, EveryEndpointHasItsOwnLimit) {
  TestGateway gateway;
  const HttpAnswer listed = gateway.admin("GET", "/admin/proxy-configs");
  ASSERT_EQ(listed.status, 200);
  const auto id = gateway.add_service({.target_url = "http://127.0.0.1:18999", .keys = 1});
  const std::string service = "/admin/proxy-configs/" + std::to_string(id);
  const std::string filler(70'000, ' ');
  const HttpAnswer key = gateway.admin("POST", service + "/keys", "{}" + filler);
  EXPECT_EQ(key.status, 413);
  EXPECT_NE(key.body.find("65536"), std::string::npos) << key.body;
  EXPECT_EQ(gateway.admin("PUT", service, "{}" + filler).status, 200);
  EXPECT_EQ(gateway.admin("PUT", service, "{}" + std::string(1 << 20, ' ')).status, 413);
  EXPECT_EQ(gateway.admin("POST", service + "/keys/batch", R"({"keys":[]})" + std::string(1 << 20, ' ')).status, 200);
}

TEST(StrangersMemory, AThrottledLoginIsRefusedAtItsHead) {
  TestGateway gateway;
  for (int i = 0; i < 5; ++i) ASSERT_EQ(gateway.client().ask(wrong_login()).status, 401);
  HttpClient client = gateway.client();
  client.send(login_head(8000));  // and nothing of the body
  const HttpAnswer refused = client.receive();
  EXPECT_EQ(refused.status, 429);
  EXPECT_NE(refused.field("retry-after"), "");
}

TEST(StrangersMemory, ABodyThatNeverComesIsNoFailedLogin) {
  TestGateway gateway;
  std::vector<HttpClient> silent;
  for (int i = 0; i < 8; ++i) {
    silent.push_back(gateway.client());
    silent.back().send(login_head(100));
  }
  for (HttpClient& client : silent) client.reset();
  silent.clear();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(gateway.client().ask(wrong_login()).status, 401);
  EXPECT_EQ(gateway.client().ask(wrong_login()).status, 429);
}

TEST(StrangersMemory, AllStrangersTogetherHaveATotal) {
  TestGateway gateway({{"UNAUTHENTICATED_MEMORY", "1048576"}});
  // 20 KiB of a head that never ends: a buffer of 80 KiB each.
  const std::string half_head = "GET / HTTP/1.1\r\nHost: h\r\nX-A: " + std::string(20'000, 'a');
  std::vector<HttpClient> strangers;
  std::vector<pollfd> answers;
  for (int i = 0; i < 40; ++i) {
    strangers.push_back(gateway.client());
    strangers.back().send(half_head);
    answers.push_back({.fd = strangers.back().fd(), .events = POLLIN, .revents = 0});
  }
  // Twelve or thirteen fit; which ones, the order of their arrival decides.
  ASSERT_GT(::poll(answers.data(), answers.size(), 20'000), 0);
  const auto first = std::ranges::find_if(answers, [](const pollfd& each) { return each.revents != 0; });
  const HttpAnswer refused = strangers[static_cast<std::size_t>(first - answers.begin())].receive();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.field("retry-after"), "1");
  EXPECT_NE(refused.body.find("UNAUTHENTICATED_MEMORY"), std::string::npos) << refused.body;
  EXPECT_EQ(gateway.client().ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);  // small heads need none
  strangers.clear();
  EXPECT_TRUE(eventually([&] { return gateway.client().ask(half_head + "\r\n\r\n").status == 200; }));
}

// A head of 20 KiB, or a body of 1 MiB, of a client that we know does not count.
TEST(StrangersMemory, KnownClientsDoNotCount) {
  test::FakeUpstream upstream([](test::UpstreamCall& call) { call.answer(200, "ok"); });
  TestGateway gateway({{"UNAUTHENTICATED_MEMORY", "1048576"}});
  gateway.add_service({.target_url = upstream.url()});
  std::vector<HttpClient> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(gateway.client());
    clients.back().send("POST /proxy/s/a HTTP/1.1\r\nHost: h\r\nX-Proxy-Key: " + std::string(TestGateway::kAccessKey) +
                        "\r\nX-A: " + std::string(20'000, 'a') + "\r\nContent-Length: 5\r\n\r\nab");
  }
  for (HttpClient& client : clients) client.send("cde");
  for (HttpClient& client : clients) EXPECT_EQ(client.receive().status, 200);
}

TEST(StrangersMemory, AFullQueueOfPasswordsIsToldAndIsNoFailure) {
  TestGateway gateway({{"LOGIN_QUEUE", "1"}, {"ADMIN_PASSWORD", ""}});  // a generated one, whose hash takes its time
  std::vector<HttpClient> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(gateway.client());
  for (HttpClient& client : clients) client.send(wrong_login());
  int checked = 0, full = 0;
  for (HttpClient& client : clients) {
    const HttpAnswer answer = client.receive();
    checked += answer.status == 401;
    if (answer.status != 429) continue;
    ++full;
    EXPECT_EQ(answer.field("retry-after"), "1");
    EXPECT_NE(answer.body.find("LOGIN_QUEUE: 1"), std::string::npos) << answer.body;
  }
  EXPECT_GE(checked, 1);
  EXPECT_GE(full, 1);
  for (; checked < 5; ++checked) EXPECT_EQ(gateway.client().ask(wrong_login()).status, 401);
}

}  // namespace
}  // namespace akr
