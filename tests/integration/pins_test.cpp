// Scenario 36 and D23: what lives in one provider account is reached with the key that made it, or not at all.
#include <atomic>
#include <thread>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/support/pins_fixture.hpp"

namespace akr::test {
namespace {

using namespace std::chrono_literals;

#ifdef AKR_SANITIZED
constexpr auto kMostTime = 10s;
#else
constexpr auto kMostTime = 1s;
#endif

TEST_F(Pins, AnInvalidKeyIsAConflictAndNoOtherKeyIsAsked) {
  const int maker = make_file("file-1");
  proxy_.blame(maker, {.key = KeyAction::kInvalidate, .retry = RetryAdvice::kNextKey, .reason = "invalid_api_key"});
  const int before = upstream_.requests();
  const HttpAnswer answer = proxy_.get("/v1/files/file-1");
  expect_unavailable(answer);
  EXPECT_EQ(answer.field("retry-after"), "");
  EXPECT_EQ(answer.field("x-should-retry"), "false");
  EXPECT_EQ(upstream_.requests(), before);
  // What is not pinned is served by the others.
  EXPECT_EQ(proxy_.get("/v1/files/file-2").status, 200);
}

TEST_F(Pins, ACoolingKeyIsAConflictThatSaysWhenItIsOver) {
  const int maker = make_file("file-1");
  proxy_.blame(maker, {.key = KeyAction::kCool, .cool_for = 30s, .retry = RetryAdvice::kNextKey, .reason = "http_429"});
  const HttpAnswer answer = proxy_.get("/v1/files/file-1");
  expect_unavailable(answer);
  EXPECT_EQ(answer.field("retry-after"), "30");
  EXPECT_EQ(answer.field("x-should-retry"), "");
}

TEST_F(Pins, AListThroughAnotherKeyMovesNothing) {
  const int maker = make_file("file-1");
  script_ = answering(R"({"data":[{"id":"file-1"},{"id":"file-2"}]})");
  ASSERT_EQ(proxy_.get("/v1/files").status, 200);
  const int lister = key_of(upstream_.last());
  ASSERT_NE(lister, maker);
  script_ = answering("{}");
  proxy_.get("/v1/files/file-1/content");
  EXPECT_EQ(key_of(upstream_.last()), maker);
  proxy_.get("/v1/files/file-2/content");
  EXPECT_EQ(key_of(upstream_.last()), lister);
}

// A deleted key's things were conflicts for as long as somebody asked for them, and no list could teach better.
TEST_F(Pins, ADeletedKeyIsAConflictOnceAndThenTheIdIsUnknown) {
  const int maker = make_file("file-1");
  std::vector<UpstreamKey> keys;
  for (int i = 1; i <= 5; ++i) {
    if (i != maker) keys.push_back({.id = KeyId{i}, .service = ServiceId{1}, .secret = Secret(ProxyUnderTest::key(i))});
  }
  proxy_.pool().replace_keys(keys);
  const int before = upstream_.requests();
  const HttpAnswer answer = proxy_.get("/v1/files/file-1");
  expect_unavailable(answer);
  EXPECT_NE(answer.body.find("deleted"), std::string::npos);
  EXPECT_NE(answer.body.find("made again"), std::string::npos);
  EXPECT_EQ(upstream_.requests(), before);
  // Any key is asked now, and one that knows the thing is learnt.
  script_ = answering(R"({"data":[{"id":"file-1"}]})");
  ASSERT_EQ(proxy_.get("/v1/files").status, 200);
  const int lister = key_of(upstream_.last());
  script_ = answering("{}");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(proxy_.get("/v1/files/file-1/content").status, 200);
    EXPECT_EQ(key_of(upstream_.last()), lister);
  }
}

TEST_F(Pins, ADisabledAndADeletedKeyAreConflicts) {
  const int maker = make_file("file-1");
  std::vector<UpstreamKey> keys;
  for (int i = 1; i <= 5; ++i) {
    keys.push_back({.id = KeyId{i}, .service = ServiceId{1}, .secret = Secret(ProxyUnderTest::key(i))});
    keys.back().enabled = i != maker;
  }
  proxy_.pool().replace_keys(keys);
  expect_unavailable(proxy_.get("/v1/files/file-1"));
  keys.erase(keys.begin() + maker - 1);
  proxy_.pool().replace_keys(keys);
  expect_unavailable(proxy_.get("/v1/files/file-1"));
}

TEST_F(Pins, ARateLimitIsToldInTheProvidersWordsWithoutAnotherKey) {
  const int maker = make_file("file-1");
  script_ = [](UpstreamCall& call) { call.answer(429, R"({"error":{"message":"slow"}})", "Retry-After: 7\r\n"); };
  const int before = upstream_.requests();
  const HttpAnswer answer = proxy_.get("/v1/files/file-1");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.body, R"({"error":{"message":"slow"}})");
  EXPECT_EQ(upstream_.requests(), before + 1);
  EXPECT_EQ(key_of(upstream_.last()), maker);
  expect_unavailable(proxy_.get("/v1/files/file-1"));  // it cools down now
}

TEST_F(Pins, AKeyThatTheProviderRefusesIsAConflict) {
  make_file("file-1");
  script_ = [](UpstreamCall& call) {
    call.answer(401, R"({"error":{"message":"Incorrect API key","code":"invalid_api_key"}})", kJsonType);
  };
  const int before = upstream_.requests();
  expect_unavailable(proxy_.get("/v1/files/file-1"));
  EXPECT_EQ(upstream_.requests(), before + 1);
}

TEST_F(Pins, TroubleOfTheUpstreamIsTriedAgainWithTheSameKey) {
  const int maker = make_file("file-1");
  std::atomic<int> calls = 0;
  script_ = [&calls](UpstreamCall& call) {
    if (++calls == 1) return call.answer(500, "oops");
    call.answer(200, "{}", kJsonType);
  };
  EXPECT_EQ(proxy_.get("/v1/files/file-1").status, 200);
  EXPECT_EQ(calls, 2);
  const auto seen = upstream_.seen();
  EXPECT_EQ(key_of(seen[seen.size() - 2]), maker);
  EXPECT_EQ(key_of(seen.back()), maker);
}

// A pinned request was not tried again when its own attempt was what held the key: at max_concurrency 1, or as a trial.
TEST(PinnedKeyOfItsOwn, IsTriedAgainThoughTheRequestItselfHoldsIt) {
  std::atomic<int> calls = 0;
  FakeUpstream upstream([&calls](UpstreamCall& call) {
    if (call.request().method == "GET" && ++calls % 2 == 1) return call.answer(500, "oops");
    call.answer(200, R"({"id":"file-1"})", kJsonType);
  });
  ProxySpec spec = spec_for(upstream, kOpenAi);
  spec.keys = 1;
  spec.limits = {.max_concurrency = 1};
  ProxyUnderTest proxy(spec);
  ASSERT_EQ(proxy.post("/v1/files", "form", kJson).status, 200);
  EXPECT_EQ(proxy.get("/v1/files/file-1").status, 200);
  EXPECT_EQ(calls, 2);
  proxy.blame(1, {.key = KeyAction::kExhaust, .cool_for = 50ms, .retry = RetryAdvice::kNextKey, .reason = "x"});
  ASSERT_TRUE(eventually([&] { return proxy.status(1).standing == KeyStanding::kTrial; }));
  EXPECT_EQ(proxy.get("/v1/files/file-1").status, 200);
  EXPECT_EQ(calls, 4);
  EXPECT_TRUE(eventually([&] { return proxy.status(1).in_flight == 0; }));
}

TEST_F(Pins, ThingsOfDifferentKeysCannotMeet) {
  const int first = make_file("file-1");
  ASSERT_NE(make_file("file-2"), first);
  const int before = upstream_.requests();
  const HttpAnswer answer = proxy_.post("/v1/vector_stores", R"({"file_ids":["file-1","file-2"]})", kJson);
  expect_unavailable(answer);
  EXPECT_NE(answer.body.find("different"), std::string::npos);
  EXPECT_EQ(upstream_.requests(), before);
  // A user's own notes are no references.
  EXPECT_EQ(proxy_.post("/v1/batches", R"({"input_file_id":"file-1","metadata":{"file_id":"file-2"}})", kJson).status,
            200);
  EXPECT_EQ(key_of(upstream_.last()), first);
}

TEST_F(Pins, AnswersInPiecesAndLongOnesAreReadAsTheyPass) {
  const std::string filler(200'000, 'x');
  script_ = [&filler](UpstreamCall& call) {
    call.read_body();
    call.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char c : std::string(R"({"object":"response","id":"resp_1","x":")")) call.send_chunk({&c, 1});
    call.send_chunk(filler);
    call.send_chunk("\"}");
    call.send_chunk("");
  };
  EXPECT_EQ(proxy_.post("/v1/responses", R"({"model":"m"})", kJson).body.size(), filler.size() + 42);
  const int maker = key_of(upstream_.last());
  const std::string whole = R"({"id":"resp_2","x":")" + filler + "\"}";
  script_ = answering(whole);
  EXPECT_EQ(proxy_.post("/v1/responses", R"({"model":"m"})", kJson).body, whole);
  const int other = key_of(upstream_.last());
  script_ = [](UpstreamCall& call) {
    call.read_body();
    call.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char* c = kResponseStream; *c != '\0'; ++c) call.send_chunk({c, 1});
    call.send_chunk("");
  };
  EXPECT_EQ(proxy_.post("/v1/responses", R"({"model":"m","stream":true})", kJson).body, kResponseStream);
  const int streamer = key_of(upstream_.last());
  script_ = answering("{}");
  EXPECT_EQ(proxy_.get("/v1/responses/rs_s").status, 200);
  EXPECT_EQ(key_of(upstream_.last()), streamer);
  EXPECT_EQ(proxy_.post("/v1/responses", R"({"previous_response_id":"resp_1"})", kJson).status, 200);
  EXPECT_EQ(key_of(upstream_.last()), maker);
  EXPECT_EQ(proxy_.post("/v1/responses", R"({"previous_response_id":"resp_2"})", kJson).status, 200);
  EXPECT_EQ(key_of(upstream_.last()), other);
}

TEST_F(Pins, AStreamsIdIsKnownBeforeTheStreamEnds) {
  script_ = [this](UpstreamCall& call) {
    call.read_body();
    if (call.request().body.find("previous") != std::string::npos) return call.answer(200, "{}", kJsonType);
    call.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    call.send_chunk("data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_9\"}}\n\n");
    while (!go_on_) call.wait(2ms);
    call.send_chunk("data: [DONE]\n\n");
    call.send_chunk("");
  };
  HttpClient client = proxy_.client();
  client.send(proxy_.request("POST", "/v1/responses", R"({"model":"m","stream":true})", kJson));
  std::string seen;
  ASSERT_TRUE(client.take_until("resp_9", seen));
  const int maker = key_of(upstream_.last());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(proxy_.post("/v1/responses", R"({"previous_response_id":"resp_9"})", kJson).status, 200);
    EXPECT_EQ(key_of(upstream_.last()), maker);
  }
  go_on_ = true;
  EXPECT_TRUE(client.take_until("[DONE]", seen));
}

TEST_F(Pins, ErrorsAndDeletesTeachNothing) {
  script_ = [](UpstreamCall& call) { call.answer(404, R"({"id":"file-1"})", kJsonType); };
  proxy_.get("/v1/files/file-1");
  script_ = answering(R"({"id":"file-1","deleted":true})");
  proxy_.ask("DELETE", "/v1/files/file-1");
  EXPECT_EQ(proxy_.pins().size(), 0U);
}

TEST_F(Pins, OrdinaryTrafficMakesNone) {
  script_ = answering(R"({"id":"chatcmpl-1","choices":[]})");
  proxy_.post("/v1/chat/completions", kChat, kJson);
  proxy_.post("/v1/embeddings", R"({"model":"m","input":"x"})", kJson);
  EXPECT_EQ(proxy_.pins().size(), 0U);
}

TEST_F(Pins, ABodyOverOneMebibyteIsLookedAtToo) {
  const int maker = make_file("file-1");
  const std::string body = R"({"file_id":"file-1","x":")" + std::string(3 << 20, 'x') + "\"}";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(proxy_.post("/v1/responses", body, kJson).status, 200);
    EXPECT_EQ(key_of(upstream_.last()), maker);
  }
}

TEST_F(Pins, ManyAtOnceStayWithTheirKeys) {
  // The upstream makes a file per request, named after the key, and knows whose each one is.
  std::atomic<int> strangers = 0;
  std::atomic<int> next = 0;
  script_ = [&](UpstreamCall& call) {
    const std::string mine = std::to_string(key_of(call.request()));
    if (call.request().method == "POST") {
      call.read_body();
      return call.answer(200, R"({"id":"file-)" + std::to_string(++next) + "k" + mine + R"("})", kJsonType);
    }
    if (!call.request().target.ends_with("k" + mine)) ++strangers;
    call.answer(200, "{}", kJsonType);
  };
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        const HttpAnswer made = proxy_.post("/v1/files", "form", kJson);
        const std::string id(boost::json::parse(made.body).at("id").as_string());
        EXPECT_EQ(proxy_.get("/v1/files/" + id).status, 200);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(strangers, 0);
}

TEST(PinnedKeyThatWaits, IsWaitedForWhereTheServiceSaysSo) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, R"({"id":"file-1"})", kJsonType); });
  ProxySpec spec = spec_for(upstream, kOpenAi);
  spec.wait_for_key = 5s;
  ProxyUnderTest proxy(spec);
  proxy.post("/v1/files", "form", kJson);
  const std::string maker = upstream.last().field("authorization");
  const int number = std::stoi(maker.substr(maker.size() - 3));
  proxy.blame(number, {.key = KeyAction::kCool, .cool_for = 300ms, .retry = RetryAdvice::kNextKey, .reason = "x"});
  EXPECT_EQ(proxy.get("/v1/files/file-1").status, 200);
  EXPECT_EQ(upstream.last().field("authorization"), maker);
}

// Each number of an embeddings request was held against each pointer and member name, for tens of milliseconds.
TEST_F(Pins, AMebibyteOfNumbersIsPassedOverAndWhatFollowsIsFound) {
  script_ = answering(R"({"id":"ftjob-1","fine_tuned_model":"ft:1"})");
  proxy_.get("/v1/fine_tuning/jobs/ftjob-1");
  const int maker = key_of(upstream_.last());
  std::string body = R"({"input":[0)";
  for (int i = 0; i < 250'000; ++i) body += ",123";
  body += R"(],"model":"ft:1"})";
  ASSERT_LT(body.size(), 1U << 20);
  for (int i = 0; i < 3; ++i) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(proxy_.post("/v1/embeddings", body, kJson).status, 200);
    EXPECT_LT(std::chrono::steady_clock::now() - began, kMostTime);
    EXPECT_EQ(key_of(upstream_.last()), maker);
  }
}

// 64 rules with 16 pointers each made one request a pause of seconds for all others of its worker.
TEST(ManyPointers, CostAMebibyteOfNumbersNoTime) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, R"({"id":"j1"})", kJsonType); });
  ProxySpec spec = spec_for(upstream, "");
  spec.affinity_rules = std::vector<AffinityRule>(64, {.created = {"/id"}});
  for (int i = 0; i < 1024; ++i)
    spec.affinity_rules[static_cast<std::size_t>(i) / 16].used.push_back("/a/*/" + std::to_string(i));
  spec.affinity_rules[0].used[0] = "/early";
  spec.affinity_rules[0].used[1] = "/late";
  ProxyUnderTest proxy(spec);
  ASSERT_EQ(proxy.post("/jobs", "{}", kJson).status, 200);
  const std::string maker = upstream.last().field("authorization");
  std::string numbers = "[[1";
  for (int i = 0; i < 500'000; ++i) numbers += ",2";
  numbers += "],[3,[4]]]";
  const auto ask = [&](const std::string& body) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(proxy.post("/any", body, kJson).status, 200);
    EXPECT_LT(std::chrono::steady_clock::now() - began, kMostTime);
    return upstream.last().field("authorization") == maker;
  };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask(R"({"early":"j1","a":)" + numbers + "}"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask(R"({"other":)" + numbers + R"(,"late":"j1"})"));
  // Also where ids are expected: 20,000 numbers were enough then, and what followed them was not looked at.
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(ask(R"({"a":)" + numbers + R"(,"late":"j1"})"));
}

}  // namespace
}  // namespace akr::test
