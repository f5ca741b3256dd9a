// Errors that a good status hides: what is judged, when, and what is none of our business.
#include <atomic>
#include <future>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/compress.hpp"
#include "tests/support/first_key_scripts.hpp"

namespace akr::test {
namespace {

using namespace std::chrono_literals;

// A pool of (401, 429, 500, good) answered 500: three bad keys had used up max_attempts (kind: attempts that end by the
// key's fault must not cost the request its chances).
TEST(KeysFaults, ThreeBadKeysDoNotUseUpTheAttempts) {
  FakeUpstream upstream([](UpstreamCall& call) {
    const std::string key = call.request().field("authorization");
    const int status = key == ProxyUnderTest::bearer(1)   ? 401
                       : key == ProxyUnderTest::bearer(2) ? 429
                       : key == ProxyUnderTest::bearer(3) ? 500
                                                          : 200;
    call.answer(status, status == 200 ? kGood : R"({"error":{"message":"no"}})", kJson);
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 4, .llm = true, .policy = "fill_first"});
  const auto answer = proxy.post("/v1/chat/completions", kChat, kJson);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(upstream.requests(), 4);
}

// The error in a 200 was seen only if body and head came in one read (kind: judging must not depend on packets).
TEST(HiddenErrors, ABodyThatComesBehindItsHeadIsJudged) {
  for (const bool chunked : {true, false}) {
    FakeUpstream upstream(first_key_says(
        [chunked](UpstreamCall& call) {
          const std::string length = "Content-Length: " + std::to_string(kLimited.size()) + "\r\n";
          send_head(call, std::string(kJson) + (chunked ? "Transfer-Encoding: chunked\r\n" : length));
          call.wait(50ms);
          for (const std::string_view part : {kLimited.substr(0, 20), kLimited.substr(20)}) {
            chunked ? call.send_chunk(part) : call.send(part);
            call.wait(20ms);
          }
          if (chunked) call.send_chunk("");
        },
        answer_good));
    ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
    const auto answer = proxy.post("/v1/chat/completions", kChat, kJson);
    EXPECT_EQ(answer.body, kGood) << chunked;
    EXPECT_EQ(upstream.requests(), 2) << chunked;
  }
}

// An error in a 200 went unseen if the answer's type was `*/*`, or none.  The kind: who may be JSON is asked by its
// first byte, not only by its name.
TEST(HiddenErrors, AnOddTypeHidesNoError) {
  for (const char* type : {"*/*", "text/plain; charset=utf-8", "json", "application/octet-stream", "text/json", ""}) {
    for (const bool late : {false, true}) {
      FakeUpstream upstream(first_key_says(
          [&](UpstreamCall& call) {
            send_head(call, "Content-Type: " + std::string(type) + "\r\nTransfer-Encoding: chunked\r\n");
            if (late) call.wait(30ms);
            call.send_chunk(kLimited);
            call.send_chunk("");
          },
          answer_good));
      ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
      EXPECT_EQ(proxy.post("/v1/chat/completions", kChat, kJson).body, kGood) << type;
      EXPECT_EQ(upstream.requests(), 2) << type;
    }
  }
}

// What turns out to be no JSON goes down as it comes.
TEST(HiddenErrors, AnOpenTypeKeepsNobodyWaiting) {
  std::promise<void> seen;
  auto was_seen = seen.get_future();
  FakeUpstream upstream([&](UpstreamCall& call) {
    send_head(call, "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n");
    call.wait(20ms);
    call.send_chunk("ID3 sound");
    EXPECT_EQ(was_seen.wait_for(5s), std::future_status::ready);
    call.send_chunk("");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 1, .llm = true});
  HttpClient client = proxy.client();
  client.send(proxy.request("POST", "/v1/audio/speech", R"({"model":"m","input":"x"})", kJson));
  EXPECT_EQ(client.receive_head().status, 200);
  std::string first;
  EXPECT_TRUE(client.take_until("ID3 sound", first));
  seen.set_value();
  EXPECT_TRUE(client.take_until("0\r\n\r\n", first));
}

// An error behind events without content was relayed although other keys were fine (kind: what is no content decides
// nothing yet).
TEST(HiddenErrors, AnErrorBehindEventsWithoutContentIsTriedAgain) {
  const std::string error = "data: " + std::string(kLimited) + "\n\n";
  const std::string role =
      "data: {\"id\":\"bad\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
  for (const std::string& before : {std::string(": looking for a provider\n\n"), role, role + role + ": wait\n\n"}) {
    FakeUpstream upstream(first_key_says(
        [&](UpstreamCall& call) {
          send_head(call, std::string(kEvents) + "Transfer-Encoding: chunked\r\n");
          call.send_chunk(before);
          call.wait(50ms);
          call.send_chunk(error);
          call.send_chunk("");
        },
        stream_good));
    ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
    const auto answer = proxy.post("/v1/chat/completions", kChat, kJson);
    EXPECT_EQ(answer.body, kTextEvent) << before;
  }
}

TEST(HiddenErrors, ResponsesAndMessagesHaveTheirOwnBeginnings) {
  struct Case {
    std::string format, path, begin, error;
  };
  const Case cases[] = {
      {"openai_compatible", "/v1/responses",
       "event: response.created\ndata: "
       "{\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"status\":\"in_progress\","
       "\"output\":[]}}\n\nevent: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"item\":"
       "{\"id\":\"m\",\"type\":\"message\",\"status\":\"in_progress\",\"content\":[],\"role\":\"assistant\"}}\n\n",
       "event: error\ndata: {\"type\":\"error\",\"code\":\"server_is_overloaded\",\"message\":\"overloaded\"}\n\n"},
      {"anthropic_native", "/v1/messages",
       "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"content\":[]}}\n\n"
       "event: ping\ndata: {\"type\":\"ping\"}\n\n",
       "event: error\ndata: "
       "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"},
      {"gemini_native", "/v1beta/models/m:streamGenerateContent?alt=sse",
       "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]}}],\"modelVersion\":\"m\"}\n\n",
       "data: {\"error\":{\"code\":503,\"message\":\"overloaded\",\"status\":\"UNAVAILABLE\"}}\n\n"}};
  for (const Case& each : cases) {
    std::atomic<int> calls = 0;
    FakeUpstream upstream([&](UpstreamCall& call) {
      call.answer(200, ++calls == 1 ? each.begin + each.error : "data: {\"fine\":1}\n\n", kEvents);
    });
    ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true, .api_format = each.format});
    EXPECT_EQ(proxy.post(each.path, "{}", kJson).body, "data: {\"fine\":1}\n\n") << each.path;
  }
}

// The last read was not looked at if bytes stood behind the body's end, and one that was kept pointed into memory that
// was gone (kind: what comes with the end counts like all before it).
TEST(HiddenErrors, AnErrorThatComesWithTheEndIsSeen) {
  const std::string error = "data: " + std::string(kLimited) + "\n\n";
  FakeUpstream upstream(first_key_says(
      [&](UpstreamCall& call) {
        send_head(call, std::string(kEvents) + "Transfer-Encoding: chunked\r\n");
        call.send_chunk("data: {\"choices\":[]}\n\n");
        call.wait(50ms);
        char size[16];
        std::snprintf(size, sizeof size, "%zx\r\n", error.size());
        call.send(size + error + "\r\n0\r\n\r\n\r\n");
        call.wait_for_close();
      },
      stream_good));
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true, .retry_on_empty = true});
  EXPECT_EQ(proxy.post("/v1/chat/completions", kChat, kJson).body, kTextEvent);
}

// Gemini's streams without alt=sse are a JSON list that comes piece by piece; it was held back for seconds (kind: what
// is a stream by its contents is passed on as it comes).
TEST(HiddenErrors, AListThatComesInPiecesIsPassedOnAsItComes) {
  std::promise<void> seen;
  auto was_seen = seen.get_future();
  FakeUpstream upstream([&](UpstreamCall& call) {
    send_head(call, std::string(kJson) + "Transfer-Encoding: chunked\r\n");
    call.wait(20ms);
    call.send_chunk("[{\"candidates\":[]}\n");
    EXPECT_EQ(was_seen.wait_for(5s), std::future_status::ready);
    call.send_chunk(",{}]");
    call.send_chunk("");
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 1, .llm = true, .api_format = "gemini_native"});
  HttpClient client = proxy.client();
  client.send(proxy.request("POST", "/v1beta/models/m:streamGenerateContent", "{}", kJson));
  EXPECT_EQ(client.receive_head().status, 200);
  std::string first;
  EXPECT_TRUE(client.take_until("candidates", first));
  seen.set_value();
  EXPECT_TRUE(client.take_until("0\r\n\r\n", first));
}

TEST(HiddenErrors, AStreamThatIsNoHttpAnyMoreIsToldAsSuch) {
  FakeUpstream upstream([](UpstreamCall& call) {
    send_head(call, std::string(kEvents) + "Transfer-Encoding: chunked\r\n");
    call.wait(20ms);
    call.send("zz\r\nno chunk\r\n");
    call.wait_for_close();
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 1, .llm = true, .retry = {.max_attempts = 1}});
  EXPECT_NE(proxy.post("/v1/chat/completions", kChat, kJson).body.find("upstream_protocol"), std::string::npos);
}

// A key that may not transcribe was taken out of chat: the call's model stands in a form that nobody reads (kind: what
// is not known to concern the key concerns the operation).
TEST(Blame, ARefusedOperationWithoutAModelLeavesTheKeyInUse) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.answer(403, R"({"error":{"message":"Missing scopes: api.audio","code":"insufficient_permissions"}})", kJson);
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  proxy.post("/v1/audio/transcriptions", "--B--\r\n", "Content-Type: multipart/form-data; boundary=B\r\n");
  for (const int key : {1, 2}) {
    EXPECT_EQ(proxy.status(key).state, KeyState::kActive);
    EXPECT_FALSE(proxy.status(key).until);
  }
}

// The counterpart: nothing comes twice.
TEST(HiddenErrors, AnErrorBehindContentIsRelayed) {
  const std::string all = std::string(kTextEvent) + "data: " + std::string(kLimited) + "\n\n";
  FakeUpstream upstream([&](UpstreamCall& call) { call.answer(200, all, kEvents); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true});
  EXPECT_EQ(proxy.post("/v1/chat/completions", kChat, kJson).body, all);
  EXPECT_EQ(upstream.requests(), 1);
}

// A fine-tuning job with an empty error was created three times, and polling a failed one cost keys and URLs (kind: a
// 200 that reports a failed thing is not a failed request).
TEST(HiddenErrors, AReportOfSomethingThatFailedIsAGoodAnswer) {
  struct Case {
    std::string method, path, body;
  };
  const Case cases[] = {
      {"POST", "/v1/fine_tuning/jobs", R"({"id":"ftjob-1","status":"queued","error":{}})"},
      {"POST", "/v1/fine_tuning/jobs", R"({"id":"ftjob-1","error":{"code":null,"param":null,"message":null}})"},
      {"GET", "/v1/fine_tuning/jobs/ftjob-1",
       R"({"id":"ftjob-1","status":"failed","error":{"code":"rate_limit_exceeded","message":"too many"}})"},
      {"GET", "/v1/videos/v1", R"({"id":"v1","status":"failed","error":{"code":"quota_exceeded","message":"no"}})"},
      {"GET", "/v1/batches/b", R"({"id":"b","status":"failed","errors":{"data":[{"code":"invalid"}]}})"},
      {"GET", "/v1/responses/r", R"({"id":"r","status":"failed","error":{"code":"server_error","message":"m"}})"},
      {"POST", "/v1/responses", R"({"id":"r","status":"failed","error":{"code":"server_error","message":"m"}})"},
      {"POST", "/v1/chat/completions", R"({"id":"c","choices":[],"error":{}})"},
      {"POST", "/v1/videos", R"({"id":"v1","status":"failed","error":{"code":"server_error","message":"no"}})"}};
  for (const Case& each : cases) {
    FakeUpstream upstream([&](UpstreamCall& call) { call.answer(200, each.body, kJson); });
    ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true});
    const auto answer = proxy.ask(each.method, each.path, each.method == "POST" ? "{}" : "", kJson);
    EXPECT_EQ(answer.body, each.body);
    EXPECT_EQ(upstream.requests(), 1) << each.path;
    for (const int key : {1, 2, 3}) EXPECT_EQ(proxy.status(key).state, KeyState::kActive) << each.path;
  }
}

TEST(HiddenErrors, AnOperatorsRulesApplyAsWritten) {
  FailureRule rule;
  rule.statuses = {200};
  rule.json_pointer = "/error/code";
  rule.json_regex = "quota";
  rule.action = RuleAction::kExhaust;
  FakeUpstream upstream([](UpstreamCall& call) {
    call.answer(200, R"({"id":"v1","status":"failed","error":{"code":"quota_exceeded"}})", kJson);
  });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 2, .llm = true, .rules = {rule}});
  proxy.get("/v1/videos/v1");
  EXPECT_EQ(proxy.status(1).state, KeyState::kExhausted);
}

// A client that had left before a wait began raised no event any more, and a silent upstream was kept until its own
// timer, 900 s for LLM services (kind: a departure counts whenever it comes).
TEST(GoneClients, AreNoticedAlsoIfTheyLeftBeforeTheWait) {
  for (const bool answers_first : {false, true}) {
    std::atomic<int> calls = 0;
    std::atomic<int> closed = 0;
    FakeUpstream upstream([&](UpstreamCall& call) {
      if (answers_first && ++calls == 1) {
        call.wait(100ms);
        return call.answer(500, "{}", kJson);
      }
      call.read_body();
      closed += call.wait_for_close(5s) ? 1 : 100;
    });
    ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true});
    {
      HttpClient client = proxy.client();
      client.send(proxy.request("POST", "/v1/chat/completions", kChat, kJson));
    }
    for (int i = 0; i < 400 && closed == 0 && !(answers_first && i > 150); ++i) std::this_thread::sleep_for(10ms);
    EXPECT_LT(closed, 100) << answers_first;
    if (!answers_first) EXPECT_EQ(closed, 1);
    EXPECT_LE(upstream.requests(), 2);
  }
}

// X-Rotator-Overhead-Ms named 47 ms while error bodies were awaited (kind: waiting for an upstream is never our own
// time).
TEST(OwnTime, HoldsNoWaitingForAnUpstreamsBody) {
  const std::string packed = gzip(R"({"error":{"message":"slow down"}})");
  for (const bool compressed : {false, true}) {
    const std::string body = compressed ? packed : R"({"error":{"message":"slow down"}})";
    FakeUpstream upstream([&](UpstreamCall& call) {
      call.read_body();
      call.send("HTTP/1.1 400 Bad\r\n" + std::string(kJson) + (compressed ? "Content-Encoding: gzip\r\n" : "") +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n");
      call.wait(400ms);
      call.send(body);
    });
    ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 1, .llm = true});
    const auto answer = proxy.post("/v1/chat/completions", kChat, kJson);
    EXPECT_EQ(answer.status, 400);
    EXPECT_LT(std::stod(answer.field("x-rotator-overhead-ms")), 200) << compressed;
  }
}

}  // namespace
}  // namespace akr::test
