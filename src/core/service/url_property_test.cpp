// url_property_test.cpp - whatever base, path and query: the authority is the configured one, the path is under the
// base.
#include <random>
#include <span>

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <gtest/gtest.h>

#include "core/service/path_check.hpp"
#include "core/service/url.hpp"

namespace akr {
namespace {

constexpr std::string_view kVersion[] = {"v1"};
constexpr JoinRule kVersionedJoin = {.bare_is_base = false, .once = kVersion};

constexpr int kRounds = 100'000;

using Random = std::mt19937_64;

std::string_view pick(Random& random, std::span<const std::string_view> from) { return from[random() % from.size()]; }

std::string random_rest(Random& random) {
  static constexpr std::string_view kPieces[] = {
      "/",      "//",   ".", "..",       "%2e",    "%2E%2e",   "%252e",    "%2f",  "%5c",   "\\",
      ";",      ";a=b", "@", "evil.com", ":80",    "v1",       "v1/",      "a",    "b%20c", "%00",
      "%0d%0a", "%zz",  "%", "\xc0\xae", "%c0%ae", "\xc3\xa9", "http://",  "chat", "~",     "%25",
      "?",      "#",    " ", "\r\n",     "%c0%af", "...",      "%2e%2e%2f"};
  std::string rest = random() % 16 == 0 ? "" : "/";
  for (std::size_t n = random() % 8; n > 0; --n) rest += pick(random, kPieces);
  return rest;
}

std::string random_query(Random& random) {
  static constexpr std::string_view kPieces[] = {"a=1", "&",    "key=%20", "=",     "%zz", "k",   "#",
                                                 " ",   "\r\n", "/../",    "@evil", "?",   "a=2", "%26"};
  std::string query;
  for (std::size_t n = random() % 6; n > 0; --n) query += pick(random, kPieces);
  return query;
}

// An independent reading: what a URL library makes of origin + target, dot segments removed.
void expect_under_base(const UpstreamUrl& base, const std::string& target) {
  ASSERT_TRUE(target.starts_with('/') && !target.starts_with("//")) << target;
  for (unsigned char c : target) ASSERT_TRUE(c > 0x20 && c != 0x7f && c != '#') << target;
  ASSERT_TRUE(target.starts_with(base.base_path)) << target;
  const auto path = target.substr(0, target.find('?'));
  if (path.size() > base.base_path.size()) ASSERT_EQ(path[base.base_path.size()], '/') << target;

  const std::string whole = "http://" + base.host_header + target;
  const auto parsed = boost::urls::parse_uri(whole);
  if (!parsed) return;  // raw bytes that the grammar of RFC 3986 does not have; opaque to us
  boost::urls::url url(*parsed);
  ASSERT_EQ(std::string_view(url.encoded_host_and_port().data(), url.encoded_host_and_port().size()), base.host_header);
  ASSERT_FALSE(url.has_userinfo());
  url.normalize_path();
  const auto normal = url.path();  // decoded, dot segments gone
  boost::urls::url base_url("http://" + base.host_header + base.base_path);
  ASSERT_TRUE(std::string_view(normal).starts_with(base_url.path())) << target << " -> " << normal;
}

TEST(UrlProperty, AuthorityAndBaseSurviveAnyClient) {
  static constexpr std::string_view kBases[] = {
      "http://host",         "https://host/",         "https://host:8443/v1",   "https://host/v1/",
      "http://10.0.0.1/a/b", "http://[::1]:80/x%2Fy", "https://host/w?k=1&v=2", "https://host/v1/v1",
      "https://host/a;p=1"};
  constexpr JoinRule kRules[] = {kGenericJoin, kVersionedJoin, kPlainJoin};
  Random random(20261122);
  int accepted = 0;
  for (int i = 0; i < kRounds; ++i) {
    const auto base = parse_upstream_url(pick(random, kBases));
    ASSERT_TRUE(base);
    std::string target;
    const auto rest = random_rest(random);
    const auto query = random_query(random);
    if (!join_target(*base, kRules[random() % 3], rest, query, target)) continue;
    ++accepted;
    SCOPED_TRACE(rest + " ? " + query);
    expect_under_base(*base, target);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(accepted, kRounds / 20);  // the generator must not be so wild that nothing is tested
}

TEST(UrlProperty, RandomBytesNeverReachTheRequestLine) {
  Random random(7);
  const auto base = parse_upstream_url("https://host/base");
  ASSERT_TRUE(base);
  for (int i = 0; i < kRounds; ++i) {
    std::string rest = "/";
    for (std::size_t n = random() % 12; n > 0; --n) rest += static_cast<char>(random() & 0xff);
    std::string target;
    if (!join_target(*base, kGenericJoin, rest, "", target)) continue;
    for (unsigned char c : target) ASSERT_TRUE(c > 0x20 && c != 0x7f && c != '#' && c != '?');
    ASSERT_TRUE(target == "/base" || target.starts_with("/base/"));
  }
}

}  // namespace
}  // namespace akr
