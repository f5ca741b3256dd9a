// lifecycle_test.cpp - the drain of SIGTERM (D40), and a store that cannot be written while requests go on.
#include <atomic>
#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::eventually;
using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::kKeyField;
using test::TestGateway;
using test::UpstreamCall;

const std::string kGet = TestGateway::request("GET", "/proxy/s/a", kKeyField);
bool no_hurry() { return false; }

bool refused(std::uint16_t port) {
  try {
    const HttpClient client(port);
    return false;
  } catch (const std::runtime_error&) {
    return true;
  }
}

// Sends an endless stream's first event and waits until `go_on`.
FakeUpstream::Script stream_until(const std::atomic<bool>& go_on) {
  return [&go_on](UpstreamCall& call) {
    call.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    call.send_chunk("data: 1\n\n");
    const auto deadline = steady_clock::now() + seconds(20);
    while (!go_on && steady_clock::now() < deadline) call.wait(milliseconds(5));
    call.send_chunk("data: 2\n\n");
    call.send_chunk("");
  };
}

TEST(Drain, RunningStreamsFinishAndNewConnectionsAreRefused) {
  std::atomic<bool> go_on = false;
  FakeUpstream upstream(stream_until(go_on));
  TestGateway gateway({{"SHUTDOWN_GRACE", "15"}, {"SHUTDOWN_DELAY", "1"}});
  gateway.add_service({.target_url = upstream.url()});
  HttpClient stream = gateway.client();
  stream.send(kGet);
  std::string first;
  ASSERT_TRUE(stream.take_until("data: 1\n\n", first));
  HttpClient idle = gateway.client();
  EXPECT_EQ(idle.ask(TestGateway::request("GET", "/readyz")).status, 200);

  const auto began = steady_clock::now();
  std::thread drain([&] { gateway.app().drain(no_hurry); });
  // While the listener is still open, the balancer is told.
  EXPECT_TRUE(eventually([&] { return idle.ask(TestGateway::request("GET", "/readyz")).status == 503; }, seconds(1)));
  EXPECT_EQ(idle.ask(TestGateway::request("GET", "/healthz")).status, 200);
  EXPECT_TRUE(idle.closes());
  EXPECT_GE(steady_clock::now() - began, milliseconds(900));
  // Each worker closes its own listener.
  EXPECT_TRUE(eventually([&] { return refused(gateway.port()); }));
  go_on = true;
  std::string rest;
  EXPECT_TRUE(stream.take_until("0\r\n\r\n", rest));
  EXPECT_NE(rest.find("data: 2"), std::string::npos);
  drain.join();
  EXPECT_LT(steady_clock::now() - began, seconds(10));
}

TEST(Drain, WhatIsStillRunningAfterTheGraceIsCut) {
  std::atomic<bool> go_on = false;
  FakeUpstream upstream(stream_until(go_on));
  TestGateway gateway({{"SHUTDOWN_GRACE", "1"}});
  gateway.add_service({.target_url = upstream.url(), .llm = true});
  HttpClient stream = gateway.client();
  stream.send(TestGateway::request("POST", "/llm/s/v1/chat/completions", kKeyField, "{}"));
  std::string first;
  ASSERT_TRUE(stream.take_until("data: 1\n\n", first));
  const auto began = steady_clock::now();
  gateway.app().drain(no_hurry);
  EXPECT_LT(steady_clock::now() - began, milliseconds(3500));
  gateway.stop();
  EXPECT_EQ(stream.rest().find("0\r\n\r\n"), std::string::npos);  // visibly cut
  go_on = true;
}

TEST(Drain, ASecondSignalEndsItAtOnce) {
  std::atomic<bool> go_on = false;
  FakeUpstream upstream(stream_until(go_on));
  TestGateway gateway({{"SHUTDOWN_GRACE", "60"}, {"SHUTDOWN_DELAY", "60"}});
  gateway.add_service({.target_url = upstream.url()});
  HttpClient stream = gateway.client();
  stream.send(kGet);
  EXPECT_EQ(stream.receive_head().status, 200);
  const auto began = steady_clock::now();
  gateway.app().drain([] { return true; });
  gateway.stop();
  EXPECT_LT(steady_clock::now() - began, seconds(3));
  go_on = true;
}

TEST(Restart, ServicesAndKeysAreThereAgain) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  TestGateway first({{"ENCRYPTION_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}});
  first.add_service({.target_url = upstream.url(), .keys = 2});
  first.app().drain(no_hurry);
  first.stop();
  TestGateway second({{"ENCRYPTION_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
                      {"DATABASE_PATH", first.directory().file("gateway.db")}});
  EXPECT_EQ(second.get("/proxy/s/a").status, 200);
  EXPECT_EQ(upstream.last().field("authorization").substr(0, 21), "Bearer " + TestGateway::key("s", 1).substr(0, 14));
}

// No file of this process can grow: what a full disk looks like from inside.
class FullDisk {
 public:
  FullDisk() {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none = {.rlim_cur = 0, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_ = {};
};

TEST(FullStore, ProxyingGoesOnWhileAdminWritesAnswer503) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  TestGateway gateway;
  const auto service = gateway.add_service({.target_url = upstream.url(), .keys = 2});
  HttpAnswer write;
  HttpAnswer proxied;
  HttpAnswer read;
  {
    // Nothing may be printed while this lives: a report could be written to a file, too.
    const FullDisk full;
    write =
        gateway.admin("PUT", "/admin/proxy-configs/" + std::to_string(service) + "/status", R"({"is_active":false})");
    proxied = gateway.get("/proxy/s/a");
    read = gateway.admin("GET", "/admin/proxy-configs");
  }
  EXPECT_EQ(write.status, 503) << write.body;
  EXPECT_EQ(proxied.status, 200) << proxied.body;
  EXPECT_EQ(read.status, 200) << read.body;
  EXPECT_EQ(gateway.get("/proxy/s/a").status, 200);  // the write was refused whole
  // And it recovers by itself.
  const HttpAnswer again =
      gateway.admin("PUT", "/admin/proxy-configs/" + std::to_string(service) + "/status", R"({"is_active":false})");
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(gateway.get("/proxy/s/a").status, 404);
}

// Edits reach requests that begin after their answer.
TEST(Publish, ChangesCountAtOnce) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "ok"); });
  TestGateway gateway;
  const auto service = gateway.add_service({.target_url = upstream.url()});
  const std::string path = "/admin/proxy-configs/" + std::to_string(service) + "/status";
  HttpClient kept = gateway.client();
  for (int i = 0; i < 20; ++i) {
    const bool active = i % 2 == 1;
    ASSERT_EQ(gateway.admin("PUT", path, std::string(R"({"is_active":)") + (active ? "true}" : "false}")).status, 200);
    EXPECT_EQ(kept.ask(kGet).status, active ? 200 : 404);
    EXPECT_EQ(gateway.get("/proxy/s/a").status, active ? 200 : 404);
  }
}

}  // namespace
}  // namespace akr
