// A key ".." of a service with its key in the path was sent as "GET /v3/../me": out of the base, with whatever key of
// the operator's.  The kind: a part of the path that is not the client's is not looked at.
#include <random>

#include <gtest/gtest.h>

#include "core/service/key_in_path.hpp"
#include "core/service/path_check.hpp"

namespace akr {
namespace {

Service in_path(const std::string& url) {
  Service service;
  service.type = ServiceType::kGeneric;
  service.target_url = url;
  service.key_placement = KeyPlacement{KeyLocation::kPath, "", ""};
  return service;
}

TEST(KeysThatFitIntoAPath, NoDotSegmentInAnyReading) {
  const KeyInPath place(in_path("https://up.example/v3/{key}"));
  for (const char* bad : {"", ".", "..", "...", "%2e", "%2E%2e", "a/../b", "../x", "x/..", "a/./b", "..\\x", "..;v=1",
                          ".;", "%2e%2e%2fx", "a%2f..", "a%00b", "a%0db", "\xc0\xae\xc0\xae"}) {
    EXPECT_FALSE(place.takes(bad)) << bad;
    const auto checked = place.check(bad);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(checked.error().field, "key_value");
  }
  for (const char* good : {"k", "123456:AA-bb_cc", "a.b", "..a", "a..", "a/b", "a%b", "sk-1~2", "a b", "a;b", "a%20b"})
    EXPECT_TRUE(place.takes(good)) << good;
}

TEST(KeysThatFitIntoAPath, WithWhatStandsBesideIt) {
  EXPECT_FALSE(KeyInPath(in_path("https://up.example/.{key}/x")).takes(".;a"));
  EXPECT_FALSE(KeyInPath(in_path("https://up.example/.{key}/x")).takes("/x"));
  EXPECT_TRUE(KeyInPath(in_path("https://up.example/bot{key}")).takes("/x"));
  Service several = in_path("https://up.example/bot{key}");
  several.upstreams = {{.url = several.target_url}, {.url = "https://other.example/.{key}"}};
  EXPECT_FALSE(KeyInPath(several).takes("/x"));
}

TEST(KeysThatFitIntoAPath, ElsewhereAnyKeyIsAKey) {
  Service service = in_path("https://up.example/v3");
  service.key_placement = KeyPlacement{KeyLocation::kHeader, "X-Key", ""};
  EXPECT_TRUE(KeyInPath(service).takes(".."));
  EXPECT_TRUE(KeyInPath(service).check(".."));
  EXPECT_TRUE(KeyInPath().takes(".."));
}

TEST(KeysThatFitIntoAPath, WhateverItTakesStaysBelowTheBase) {
  std::mt19937 random(3);
  const Service service = in_path("https://up.example/v3/{key}/x");
  const KeyInPath place(service);
  const UpstreamUrl url = parse_upstream_url(service.target_url).value();
  for (int round = 0; round < 50'000; ++round) {
    std::string key, path;
    for (auto length = random() % 8; length > 0; --length) key += "./\\;%2eEfF5ca"[random() % 14];
    if (!place.takes(key)) continue;
    append_with_key(url, url.base_path, key, path);
    EXPECT_TRUE(path_stays_put(path)) << key;
  }
}

}  // namespace
}  // namespace akr
