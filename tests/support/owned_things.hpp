// owned_things.hpp - two clients of one service, of whom one must not reach what the other made.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/support/pins_fixture.hpp"

namespace akr::test {

inline constexpr std::string_view kAlice = ProxyUnderTest::kAccessKey;
inline constexpr std::string_view kBob = ProxyUnderTest::kOtherAccessKey;

class OwnedThings : public Pins {
 protected:
  explicit OwnedThings(const char* format = kOpenAi) : Pins(format) {}

  HttpAnswer ask_as(std::string_view who, std::string_view method, std::string_view path, std::string_view body = {}) {
    return proxy_.ask(method, path, body, kJson, who);
  }
  // Answered by the upstream with `body`.
  void answered(std::string_view who, std::string_view method, std::string_view path, const std::string& body,
                std::string_view sent = {}) {
    script_ = answering(body);
    ASSERT_EQ(ask_as(who, method, path, sent).status, 200) << method << ' ' << path;
    script_ = answering("{}");
  }
  HttpAnswer expect_unknown(std::string_view who, std::string_view method, std::string_view path,
                            std::string_view body = {}) {
    const int before = upstream_.requests();
    HttpAnswer answer = ask_as(who, method, path, body);
    EXPECT_EQ(answer.status, 404) << method << ' ' << path;
    EXPECT_EQ(answer.field("x-rotator-error-source"), "gateway");
    EXPECT_EQ(upstream_.requests(), before) << "no upstream is asked";
    return answer;
  }
  void expect_served(std::string_view who, std::string_view method, std::string_view path, std::string_view body = {}) {
    EXPECT_EQ(ask_as(who, method, path, body).status, 200) << method << ' ' << path;
  }
};

}  // namespace akr::test
