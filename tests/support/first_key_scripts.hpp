// first_key_scripts.hpp - upstreams of which the first key gets something else than the others.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/proxy_under_test.hpp"

namespace akr::test {

inline constexpr std::string_view kLimited = R"({"error":{"message":"Rate limit reached","code":429}})";
inline constexpr std::string_view kGood =
    R"({"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"fine"}}]})";
inline constexpr std::string_view kEvents = "Content-Type: text/event-stream\r\n";
inline constexpr std::string_view kTextEvent =
    "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"fine\"}}]}\n\n";

// The first key answers with `bad`, the others with `good`.
inline FakeUpstream::Script first_key_says(std::function<void(UpstreamCall&)> bad,
                                           std::function<void(UpstreamCall&)> good) {
  return [bad = std::move(bad), good = std::move(good)](UpstreamCall& call) {
    call.request().field("authorization") == ProxyUnderTest::bearer(1) ? bad(call) : good(call);
  };
}

inline void answer_good(UpstreamCall& call) { call.answer(200, kGood, kJson); }
inline void stream_good(UpstreamCall& call) { call.answer(200, kTextEvent, kEvents); }

inline void send_head(UpstreamCall& call, std::string_view fields) {
  call.read_body();
  call.send("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n");
}

}  // namespace akr::test
