// bodies_test.cpp - request bodies on their way up: kept for a second attempt, streamed, cut, answered early.
#include <filesystem>
#include <future>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using std::chrono::milliseconds;
using test::eventually;
using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::kKeyField;
using test::TestGateway;
using test::UpstreamCall;

// Every byte value, at changing places.
std::string binary(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& c : bytes) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

std::string chunked(std::string_view body, std::size_t step) {
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += step) {
    const std::string_view part = body.substr(at, step);
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    out += size + std::string(part) + "\r\n";
  }
  return out + "0\r\n\r\n";
}

// Files that this process holds open and nobody else can see.
int unlinked_files() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (target.starts_with('/') && target.ends_with(" (deleted)")) ++count;
  }
  return count;
}

class Bodies : public testing::Test {
 protected:
  void add(const std::string& more = "") {
    gateway_.add_service({.target_url = upstream_.url(), .keys = 3, .more = more});
  }

  test::ChangingScript script_;
  FakeUpstream upstream_{[this](UpstreamCall& call) { script_(call); }};
  TestGateway gateway_;
};

// behaviour.md scenario 76: a body that was spilled to disk goes out a second time, byte for byte.
TEST_F(Bodies, TheSecondAttemptIsIdentical) {
  std::atomic<int> calls = 0;
  script_ = [&](UpstreamCall& call) { call.answer(++calls == 1 ? 429 : 200, "x"); };
  add();
  const std::string body = binary(4U << 20);
  EXPECT_EQ(gateway_.post("/proxy/s/a", body, "Content-Type: image/png\r\n").status, 200);
  const auto seen = upstream_.seen();
  ASSERT_EQ(seen.size(), 2U);
  for (const auto& request : seen) {
    EXPECT_EQ(request.field("content-length"), std::to_string(body.size()));
    EXPECT_TRUE(request.body == body);
  }
  EXPECT_NE(seen[0].field("authorization"), seen[1].field("authorization"));
}

TEST_F(Bodies, ChunkedBodiesGoUpWithALength) {
  add();
  const std::string body = binary(2'500'000);
  HttpClient client = gateway_.client();
  const std::string fields = kKeyField + "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(client.ask(TestGateway::request("POST", "/proxy/s/a", fields) + chunked(body, 70'001)).status, 200);
  EXPECT_EQ(upstream_.last().count("transfer-encoding"), 0U);
  EXPECT_TRUE(upstream_.last().body == body);
}

TEST_F(Bodies, TheSpilledFileIsFreedWhenTheAnswerStarts) {
  const int before = unlinked_files();
  std::atomic<bool> spilled = false;
  std::atomic<bool> go_on = false;
  script_ = [&](UpstreamCall& call) {
    call.read_body();
    spilled = unlinked_files() > before;
    call.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    while (!go_on && !upstream_.stopping()) call.wait(milliseconds(5));
    call.send_chunk("");
  };
  add();
  HttpClient client = gateway_.client();
  client.send(TestGateway::request("POST", "/proxy/s/a", kKeyField, binary(2U << 20)));
  EXPECT_EQ(client.receive_head().status, 200);
  EXPECT_TRUE(spilled);
  EXPECT_TRUE(eventually([&] { return unlinked_files() == before; }));
  go_on = true;
  std::string rest;
  EXPECT_TRUE(client.take_until("0\r\n\r\n", rest));
}

TEST_F(Bodies, ExpectContinueIsAnsweredHereAndNotPassedOn) {
  add();
  HttpClient client = gateway_.client();
  client.send(TestGateway::request("POST", "/proxy/s/a", kKeyField + "Expect: 100-continue\r\nContent-Length: 5\r\n"));
  EXPECT_EQ(client.receive().status, 100);
  client.send("hello");
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(upstream_.last().count("expect"), 0U);
  EXPECT_EQ(upstream_.last().body, "hello");
}

TEST_F(Bodies, ARefusedClientIsNotAskedForItsBody) {
  add();
  HttpClient client = gateway_.client();
  client.send(TestGateway::request("POST", "/proxy/s/a", "Expect: 100-continue\r\nContent-Length: 5\r\n"));
  EXPECT_EQ(client.receive().status, 401);
  EXPECT_TRUE(client.closes());
}

TEST_F(Bodies, ACutBodyNeverReachesTheUpstream) {
  add();
  HttpClient client = gateway_.client();
  client.send(TestGateway::request("POST", "/proxy/s/a", kKeyField + "Content-Length: 10\r\n") + "abc");
  client.half_close();
  EXPECT_TRUE(client.closes());
  EXPECT_EQ(upstream_.requests(), 0);
}

TEST_F(Bodies, EmptyPostSaysItsLength) {
  add();
  HttpClient client = gateway_.client();
  EXPECT_EQ(client.ask(TestGateway::request("POST", "/proxy/s/a", kKeyField)).status, 200);
  EXPECT_EQ(upstream_.last().field("content-length"), "0");
  EXPECT_EQ(client.ask(TestGateway::request("GET", "/proxy/s/a", kKeyField)).status, 200);
  EXPECT_EQ(upstream_.last().count("content-length"), 0U);
}

TEST_F(Bodies, AnEarlyAnswerEndsTheUpload) {
  script_ = [](UpstreamCall& call) {
    call.answer_early(413, "too much for me");
    call.wait_for_close();
  };
  add();
  const HttpAnswer answer = gateway_.post("/proxy/s/a", binary(16U << 20));
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.body, "too much for me");
  EXPECT_EQ(answer.field("x-rotator-error-source"), "upstream");
}

// ---- stream_uploads

TEST_F(Bodies, StreamedUploadsArriveAsTheyComeAndInOneAttempt) {
  std::atomic<int> parts = 0;
  script_ = [&](UpstreamCall& call) {
    while (parts < 3) {
      if (call.receive(1).empty()) return call.close();
      ++parts;
    }
    call.answer_early(429, "no second try");
    call.close();
  };
  add(R"(,"stream_uploads":true)");
  HttpClient client = gateway_.client();
  client.send(TestGateway::request("PUT", "/proxy/s/a", kKeyField + "Content-Length: 3\r\n"));
  for (int i = 1; i <= 3; ++i) {
    client.send("x");
    EXPECT_TRUE(eventually([&] { return parts == i; }));  // each byte is there before the next is sent
  }
  const HttpAnswer answer = client.receive();
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(upstream_.requests(), 1);
}

TEST_F(Bodies, StreamedUploadsKeepTheirFramingAndHaveNoLimit) {
  gateway_.stop();
  TestGateway small({{"MAX_BODY_SIZE", "1000"}});
  small.add_service({.target_url = upstream_.url(), .more = R"(,"stream_uploads":true)"});
  const std::string body = binary(3'000'000);
  HttpClient client = small.client();
  const std::string fields = kKeyField + "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(client.ask(TestGateway::request("POST", "/proxy/s/a", fields) + chunked(body, 65'000)).status, 200);
  EXPECT_EQ(upstream_.last().field("transfer-encoding"), "chunked");
  EXPECT_TRUE(upstream_.last().body == body);
  EXPECT_EQ(client.ask(TestGateway::request("POST", "/proxy/s/a", kKeyField, body)).status, 200);
  EXPECT_EQ(upstream_.last().field("content-length"), std::to_string(body.size()));
  EXPECT_TRUE(upstream_.last().body == body);
}

TEST_F(Bodies, ACutUploadIsNeverCompleted) {
  std::promise<bool> whole;
  script_ = [&](UpstreamCall& call) {
    whole.set_value(call.read_body());
    call.close();
  };
  add(R"(,"stream_uploads":true)");
  HttpClient client = gateway_.client();
  client.send(TestGateway::request("POST", "/proxy/s/a", kKeyField + "Transfer-Encoding: chunked\r\n") +
              "3\r\nabc\r\n");
  ASSERT_TRUE(eventually([&] { return upstream_.requests() == 1; }));
  client.reset();
  EXPECT_FALSE(whole.get_future().get());
}

// ---- the access key in the body

TEST_F(Bodies, ABodyKeyIsCutOutAndTheRestStays) {
  gateway_.add_service({.target_url = upstream_.url(), .llm = true, .more = R"(,"accept_body_key":true)"});
  gateway_.add_service({.slug = "strict", .target_url = upstream_.url(), .llm = true});
  const std::string body =
      "{ \"model\" : \"m\",\"api_key\":\"" + std::string(TestGateway::kAccessKey) + "\", \"n\":1.50}";
  const auto ask = [&](const std::string& slug, const std::string& text) {
    return gateway_.client()
        .ask(TestGateway::request("POST", "/llm/" + slug + "/v1/chat/completions", "", text))
        .status;
  };
  EXPECT_EQ(ask("s", body), 200);
  EXPECT_EQ(upstream_.last().body, "{ \"model\" : \"m\",\"n\":1.50}");
  EXPECT_EQ(ask("strict", body), 401);
  EXPECT_EQ(ask("s", R"({"api_key":"wrong"})"), 401);
  EXPECT_EQ(upstream_.requests(), 1);
}

}  // namespace
}  // namespace akr
