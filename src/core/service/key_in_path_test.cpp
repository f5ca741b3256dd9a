// Infura, Alchemy and Telegram take the key as a segment of the path, where no pool could put it.
#include <gtest/gtest.h>

#include "core/service/service_parts.hpp"
#include "core/service/url.hpp"
#include "core/service/validate.hpp"
#include "tests/support/example_config.hpp"

namespace akr {
namespace {

std::string with_key(const std::string& url, std::string_view rest, std::string_view key, std::string_view query = "") {
  const UpstreamUrl parsed = parse_upstream_url(url).value();
  std::string target, out;
  EXPECT_TRUE(join_target(parsed, kGenericJoin, rest, query, target));
  append_with_key(parsed, target, key, out);
  return out;
}

TEST(KeyInPath, StandsWhereTheUrlSaysSo) {
  EXPECT_EQ(with_key("https://h/v3/{key}", "", "abc"), "/v3/abc");
  EXPECT_EQ(with_key("https://h/v3/{key}", "/", "abc"), "/v3/abc");
  EXPECT_EQ(with_key("https://h/v3/{key}/", "", "abc"), "/v3/abc/");
  EXPECT_EQ(with_key("https://h/v3/{key}/rpc?a=1", "/x", "abc", "b=2"), "/v3/abc/rpc/x?a=1&b=2");
  EXPECT_EQ(with_key("https://h/bot{key}", "/getMe", "123:AbC-d_e"), "/bot123:AbC-d_e/getMe");
  EXPECT_EQ(with_key("https://h/{key}", "/a", "k"), "/k/a");
  EXPECT_EQ(with_key("https://h/a-{key}-b", "/{key}", "k"), "/a-k-b/{key}");  // the client's is its own business
}

TEST(KeyInPath, IsEscapedAsAPartOfASegment) {
  EXPECT_EQ(with_key("https://h/{key}", "/a", "a/../b?c#d%e f"), "/a%2F..%2Fb%3Fc%23d%25e%20f/a");
  EXPECT_EQ(with_key("https://h/{key}", "", "a+b=$@:!,;(x)*'&~"), "/a+b=$@:!,;(x)*'&~");
  EXPECT_EQ(with_key("https://h/{key}", "", "\"<\\>^`{|}[]"), "/%22%3C%5C%3E%5E%60%7B%7C%7D%5B%5D");
}

TEST(KeyInPath, TheMarkIsTheOnlyBraceThatAUrlMayHave) {
  EXPECT_EQ(parse_upstream_url("https://h/v3/{key}").value().base_path, "/v3/{key}");
  EXPECT_EQ(parse_upstream_url("https://h/v3").value().key_at, std::string::npos);
  const auto told = [](const char* url) { return parse_upstream_url(url).error().message; };
  EXPECT_EQ(told("https://h/{key}/{key}"), "{key} may stand in a URL only once");
  for (const char* url : {"https://h/a?key={key}", "https://{key}.example/a", "https://h:{key}/a", "https://h?{key}"}) {
    EXPECT_FALSE(parse_upstream_url(url)) << url;
  }
  EXPECT_EQ(told("https://h/a?key={key}"), "{key} must stand in the URL's path");
  for (const char* url : {"https://h/{KEY}", "https://h/{}", "https://h/{key", "https://h/{key}{", "https://h/%{key}",
                          "https://h/../{key}", "https://h//{key}/..", "{key}"}) {
    EXPECT_FALSE(parse_upstream_url(url)) << url;
  }
}

class KeyInPathRules : public testing::Test {
 protected:
  KeyInPathRules() {
    service_.target_url = "https://h.example/v3/{key}";
    service_.key_placement = KeyPlacement{.location = KeyLocation::kPath};
  }
  Error refused() const {
    const auto valid = validate_service(service_, {.formats = {.upstreams = {{"openai_compatible", "openai"}}}});
    return valid ? Error{} : valid.error();
  }
  Service service_ = example_service("s");
};

TEST_F(KeyInPathRules, UrlAndPlaceBelongTogether) {
  EXPECT_EQ(refused().message, "");
  service_.target_url = "https://h.example/v3";
  EXPECT_EQ(refused().field, "target_url");
  EXPECT_NE(refused().message.find("write {key} into the URL's path"), std::string::npos);
  service_.target_url = "https://h.example/v3/{key}";
  for (const auto& placement : {std::optional<KeyPlacement>(), std::optional(KeyPlacement{.name = "X-Key"}),
                                std::optional(KeyPlacement{KeyLocation::kQuery, "key", ""})}) {
    service_.key_placement = placement;
    EXPECT_EQ(refused().field, "target_url");
    EXPECT_NE(refused().message.find("needs api_key_location \"path\""), std::string::npos) << refused().message;
  }
}

// A URL of the discard port, which people name where nobody shall listen, was refused as one of another protocol.
TEST_F(KeyInPathRules, TheDiscardPortIsNobodys) {
  service_.target_url = "http://127.0.0.1:9/v3/{key}";
  EXPECT_EQ(refused().message, "");
  service_.target_url = "http://127.0.0.1:7/v3/{key}";
  EXPECT_EQ(refused().field, "target_url");
}

TEST_F(KeyInPathRules, EachOfSeveralUrlsHasItsOwn) {
  service_.upstreams = {{.url = service_.target_url}, {.url = "https://eu.example/bot{key}"}};
  EXPECT_EQ(refused().message, "");
  service_.upstreams[1].url = "https://eu.example/v3";
  EXPECT_EQ(refused().field, "upstreams[1].url");
  service_.upstreams[1].url = "https://eu.example/{key}/{key}";
  EXPECT_EQ(refused().field, "upstreams[1].url");
}

TEST_F(KeyInPathRules, OnlyGenericServicesAndNothingInFrontOfIt) {
  service_.key_placement->prefix = "bot";
  EXPECT_EQ(refused().field, "api_key_prefix");
  service_.key_placement->prefix = "";
  service_.key_placement->name = "key\n";
  EXPECT_EQ(refused().field, "api_key_name");
  service_.key_placement->name = "key";
  EXPECT_EQ(refused().message, "");
  service_.type = ServiceType::kLlm;
  service_.methods.clear();
  EXPECT_EQ(refused().message, "only a GENERIC service can carry its key in the path");
  EXPECT_EQ(refused().field, "api_key_location");
  service_.key_placement.reset();
  EXPECT_EQ(refused().message, "only a GENERIC service can carry its key in the path");
  EXPECT_EQ(refused().field, "target_base_url");
}

TEST_F(KeyInPathRules, TheWordIsReadAndWritten) {
  Service service;
  EXPECT_TRUE(parts::read_key_location("PATH", service));
  EXPECT_EQ(service.key_placement->location, KeyLocation::kPath);
  parts::drop_nameless_placement(service);
  EXPECT_EQ(parts::write_key_location(service), "path");
  EXPECT_EQ(parts::read_key_location("body", service).error().message,
            "api_key_location must be header, query or path");
}

}  // namespace
}  // namespace akr
