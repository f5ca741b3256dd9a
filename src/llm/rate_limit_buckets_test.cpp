// Counters of limits in every spelling that upstreams have.  Pools of REST keys (GitHub, GitLab, Discord, Brave) read
// Retry-After alone, so that a key whose counter said when it is back came back too early, again and again.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "llm/rate_limit_hints.hpp"

namespace akr {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow{std::chrono::seconds(1'795'379'553)};  // 2026-11-22T20:32:33Z
using Head = std::vector<HeaderView>;

std::optional<Duration> full_in(const Head& head) { return limit_counters(head, kNow).full_in; }

TEST(Counters, PairsAreFoundUnderEveryName) {
  const std::pair<const char*, const char*> names[] = {
      {"X-RateLimit-Remaining", "X-RateLimit-Reset"},
      {"x-rate-limit-remaining", "x-rate-limit-reset"},
      {"RateLimit-Remaining", "RateLimit-Reset"},
      {"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"},
      {"anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"},
      {"X-Discogs-Ratelimit-Remaining", "X-Discogs-Ratelimit-Reset"},
      {"X-RateLimit-Remaining", "X-RateLimit-Reset-After"},
  };
  for (const auto& [remaining, reset] : names) {
    EXPECT_EQ(full_in({{remaining, "0"}, {reset, "47"}}), seconds(47)) << remaining;
    EXPECT_EQ(full_in({{remaining, "1"}, {reset, "47"}}), std::nullopt) << remaining;
    EXPECT_TRUE(limit_counters(Head{{remaining, " 0 "}}, kNow).empty) << remaining;
    EXPECT_TRUE(may_be_empty(remaining, "0")) << remaining;
  }
}

TEST(Counters, ResetsHaveEveryForm) {
  const std::pair<const char*, Duration> forms[] = {
      {"47", seconds(47)},
      {"47.5", milliseconds(47'500)},
      {"1795379600", seconds(47)},
      {"1795379600.25", milliseconds(47'250)},
      {"1795379600000", seconds(47)},
      {"47s", seconds(47)},
      {"2026-11-22T20:33:33Z", minutes(1)},
      {"2026-11-22 20:33:33", minutes(1)},
      {"2026-11-22T21:33:33+01:00", minutes(1)},
      {"Sun, 22 Nov 2026 20:33:33 GMT", minutes(1)},
  };
  for (const auto& [text, expected] : forms) {
    EXPECT_EQ(full_in({{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", text}}), expected) << text;
  }
  for (const char* garbage : {"", "soon", "-5", "1e5", "999999999999999999999", "NaN", "0x10", "20:33"}) {
    EXPECT_EQ(full_in({{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", garbage}}), std::nullopt) << garbage;
  }
}

// Brave's API counts a second and a month in one field.
TEST(Counters, ListsAreOneBucketPerWindow) {
  const auto wait = [](const char* remaining) {
    return full_in({{"X-RateLimit-Policy", "1;w=1, 15000;w=2592000"},
                    {"X-RateLimit-Remaining", remaining},
                    {"X-RateLimit-Reset", "1, 1419704"}});
  };
  EXPECT_EQ(wait("1, 1000"), std::nullopt);
  EXPECT_EQ(wait("0, 1000"), seconds(1));
  EXPECT_EQ(wait("1, 0"), seconds(1'419'704));
  EXPECT_EQ(wait("0, 0"), seconds(1'419'704));
  EXPECT_TRUE(may_be_empty("X-RateLimit-Remaining", "1, 0"));
}

TEST(Counters, EveryDraftOfTheIetfsFieldsIsRead) {
  EXPECT_EQ(full_in({{"RateLimit-Limit", "100, 100;w=60"}, {"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "7"}}),
            seconds(7));                                                               // to draft 6
  EXPECT_EQ(full_in({{"RateLimit", "limit=100, remaining=0, reset=7"}}), seconds(7));  // draft 7
  EXPECT_EQ(full_in({{"RateLimit", "limit=100, remaining=3, reset=7"}}), std::nullopt);
  EXPECT_EQ(full_in({{"RateLimit", "limit=100, remaining=0"}, {"RateLimit-Policy", "100;w=60"}}), seconds(60));
  EXPECT_EQ(full_in({{"RateLimit", R"("default";r=0;t=30)"}}), seconds(30));  // draft 8 on
  EXPECT_EQ(full_in({{"RateLimit", R"("burst";r=0;t=2, "daily";r=17;t=40000)"}}), seconds(2));
  EXPECT_EQ(full_in({{"RateLimit", R"("burst";r=0;t=2)"}, {"ratelimit", R"("daily";r=0;t=400)"}}), seconds(400));
  // Without a time the policy's window is the longest that it can take.
  EXPECT_EQ(full_in({{"RateLimit", R"("hour";r=0)"}, {"RateLimit-Policy", R"("burst";q=5;w=1, "hour";q=9;w=3600)"}}),
            seconds(3600));
  EXPECT_TRUE(may_be_empty("RateLimit", R"("default";r=0)"));
  for (const char* garbage : {"", "\"", "r=0", "\"a\";r=", "\"a\";r=zero;t=5", "remaining=, reset=5", ";;;,,,"}) {
    EXPECT_EQ(full_in({{"RateLimit", garbage}}), std::nullopt) << garbage;
  }
}

TEST(Counters, AResetOfWhichNobodySaysWhatRemainsIsKeptApart) {
  const auto uncounted = [](const Head& head) { return limit_counters(head, kNow).uncounted; };
  EXPECT_EQ(uncounted({{"X-RateLimit-Reset", "1795379600"}}), seconds(47));
  EXPECT_EQ(uncounted({{"X-RateLimit-Reset-Day", "9000"}, {"X-RateLimit-Reset-Minute", "9"}}), seconds(9));
  EXPECT_EQ(uncounted({{"X-RateLimit-Reset", "9"}, {"X-RateLimit-Remaining", "3"}}), std::nullopt);
  EXPECT_EQ(uncounted({{"X-RateLimit-Reset", "0"}}), std::nullopt);
  EXPECT_FALSE(limit_counters(Head{{"X-RateLimit-Reset", "9"}}, kNow).empty);
}

TEST(Counters, OtherFieldsAreNoCounters) {
  EXPECT_FALSE(limit_counters(Head{{"X-Remaining", "0"}}, kNow).empty);
  const std::pair<const char*, const char*> others[] = {
      {"Age", "0"}, {"X-RateLimit-Limit", "0"}, {"Content-Length", "0"}, {"X-RateLimit-Used", "0"}};
  for (const auto& [name, value] : others) {
    EXPECT_FALSE(may_be_empty(name, value)) << name;
    EXPECT_FALSE(limit_counters(Head{{name, value}}, kNow).empty) << name;
  }
  const std::string long_name = "x-ratelimit-remaining-" + std::string(200, 'y');
  EXPECT_FALSE(limit_counters(Head{{long_name, "0"}}, kNow).empty);
}

}  // namespace
}  // namespace akr
