// When a client may come back after a limit (behaviour.md D06), by what the pools know and what the answer says.
#include "proxy/attempt/soonest_end.hpp"

#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"
#include "tests/support/request_fixture.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// A service with `keys` keys, of which one was asked and cools for a minute; the others as `prepare` leaves them.
class SoonestEndTest : public testing::Test {
 protected:
  // What the client is told, in ms; 0 = what the answer says itself.
  milliseconds told(const std::string& answer, int keys,
                    const std::function<void(RequestContext&, Attempt&)>& prepare) {
    Service service;
    service.slug = "s";
    service.target_url = "https://up.example";
    milliseconds result{-1};
    test::RequestFixture fixture(service);
    fixture.run("GET /proxy/s/a HTTP/1.1\r\nHost: gw\r\n\r\n", [&](RequestContext& ctx) {
      ctx.asked().keys->configure({.outage_guard = false}).value();
      ctx.asked().keys->replace_keys(pool_test::make_keys(keys));
      ctx.attempts = 1;
      Attempt last;
      last.answer = answer_of(answer);
      last.facts.status = last.answer->head.status();
      last.facts.verdict = pool_test::cool_for(60s);
      cool(ctx, 1, keys, 60s);
      prepare(ctx, last);
      name_soonest_end(ctx, last, kNow);
      result = last.retry_in;
    });
    return result;
  }
  static void cool(RequestContext& ctx, std::int64_t key, int keys, Duration time) {
    pool_test::take(*ctx.asked().keys, key, keys, kNow).value().report(pool_test::cool_for(time), kNow);
  }
  static net::MessageSlotPtr answer_of(const std::string& text) {
    net::MessageSlotPtr slot = net::lease_slot();
    slot->buffer = net::Buffer::lease(net::Buffer::kSmall);
    std::memcpy(slot->buffer.data(), text.data(), text.size());
    slot->end = text.size();
    EXPECT_EQ(slot->head.parse_response(slot->unread(), false), net::ParseStatus::kDone);
    slot->begin = slot->head.size();
    return slot;
  }

  static constexpr TimePoint kNow{std::chrono::hours(1000)};
  const std::string kLimited = "HTTP/1.1 429 X\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n";
  const std::string kNoHint = "HTTP/1.1 429 X\r\nContent-Length: 0\r\n\r\n";
};

TEST_F(SoonestEndTest, TheOneKeysOwnHintStays) {
  EXPECT_EQ(told(kLimited, 1, [](RequestContext&, Attempt&) {}), 0ms);
  EXPECT_EQ(told(kNoHint, 1, [](RequestContext&, Attempt&) {}), 0ms);
}

TEST_F(SoonestEndTest, AnotherKeyThatComesBackSoonerIsNamed) {
  EXPECT_EQ(told(kLimited, 2, [](RequestContext& ctx, Attempt&) { cool(ctx, 2, 2, 5s); }), 5000ms);
  EXPECT_EQ(told(kLimited, 2, [](RequestContext& ctx, Attempt&) { cool(ctx, 2, 2, 90s); }), 0ms);
}

TEST_F(SoonestEndTest, AnAnswerWithoutAHintIsHelpedByAnotherAttemptOnly) {
  const auto two = [](RequestContext& ctx, Attempt&) {
    cool(ctx, 2, 2, 5s);
    ctx.attempts = 2;
  };
  EXPECT_EQ(told(kNoHint, 2, two), 5000ms);
  EXPECT_EQ(told(kNoHint, 2, [](RequestContext& ctx, Attempt&) { cool(ctx, 2, 2, 5s); }), 0ms);
}

TEST_F(SoonestEndTest, AFreeKeyIsWorthASecondUnlessTheProviderIsOverloaded) {
  EXPECT_EQ(told(kLimited, 2, [](RequestContext&, Attempt&) {}), 1000ms);
  const std::string overloaded = "HTTP/1.1 529 X\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(told(overloaded, 2, [](RequestContext&, Attempt&) {}), 0ms);
}

TEST_F(SoonestEndTest, OnlyLimitsOfRequestsThatAnyKeyMayServe) {
  const auto sooner = [](RequestContext& ctx) { cool(ctx, 2, 2, 5s); };
  EXPECT_EQ(told(kLimited, 2,
                 [&](RequestContext& ctx, Attempt& last) {
                   sooner(ctx);
                   last.facts.verdict = pool_test::refused();
                 }),
            0ms);
  EXPECT_EQ(told(kLimited, 2,
                 [&](RequestContext& ctx, Attempt&) {
                   sooner(ctx);
                   ctx.pinned = PinnedKey{ServiceId{1}, KeyId{1}};
                 }),
            0ms);
  EXPECT_EQ(told(kLimited, 2,
                 [&](RequestContext& ctx, Attempt& last) {
                   sooner(ctx);
                   last.error = Error{ErrorCode::kUpstreamTimeout, "no answer"};
                 }),
            0ms);
  EXPECT_EQ(told(kLimited, 2,
                 [&](RequestContext& ctx, Attempt& last) {
                   sooner(ctx);
                   last.facts.verdict = pool_test::exhaust();
                 }),
            5000ms);
}

}  // namespace
}  // namespace akr
