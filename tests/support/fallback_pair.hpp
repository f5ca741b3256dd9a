// fallback_pair.hpp - a service with one fallback, and what is asked about the two.
#pragma once

#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/strings.hpp"
#include "tests/support/fake_upstream.hpp"
#include "tests/support/llm_streams.hpp"
#include "tests/support/proxy_under_test.hpp"

namespace akr::test {

inline FakeUpstream::Script streams(std::string_view event) {
  return [=](UpstreamCall& call) {
    call.read_body();
    call.send(kStreamHead);
    call.send_chunk(event);
    call.send_chunk("");
  };
}

// What is tried when: an LLM service at `asked` with a fallback at `other`.
inline ProxySpec pair_of(std::string asked, std::string other) {
  ProxySpec fallback{.target_url = std::move(other), .llm = true};
  return {.target_url = std::move(asked), .llm = true, .fallbacks = {fallback}};
}

inline void cool(ProxyUnderTest& proxy, int key, Duration hold) {
  proxy.blame(key, {.key = KeyAction::kCool, .cool_for = hold, .retry = RetryAdvice::kNextKey, .reason = "http_429"});
}

inline boost::json::object line_of(ProxyUnderTest& proxy) {
  const std::string log = proxy.log();
  for (const std::string_view line : split(log, '\n')) {
    if (line.empty()) continue;
    auto members = boost::json::parse(line).as_object();
    if (!members.contains("trace")) return members;
  }
  return {};
}

}  // namespace akr::test
