#include "core/service/url.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

constexpr std::string_view kVersion[] = {"v1"};
constexpr JoinRule kVersionedJoin = {.bare_is_base = false, .once = kVersion};

UpstreamUrl url_of(std::string_view text) {
  auto url = parse_upstream_url(text);
  EXPECT_TRUE(url) << text << ": " << (url ? "" : url.error().message);
  return url ? *url : UpstreamUrl{};
}

std::string joined(std::string_view base, const JoinRule& rule, std::string_view rest, std::string_view query = "") {
  std::string out;
  const auto result = join_target(url_of(base), rule, rest, query, out);
  return result ? out : "refused";
}

std::string generic(std::string_view base, std::string_view rest, std::string_view query = "") {
  return joined(base, kGenericJoin, rest, query);
}

TEST(ParseUpstreamUrl, TakesItApart) {
  const auto url = url_of("HTTPS://API.Example.com:8443/v1%2Fx/?a=1&b=%20");
  EXPECT_EQ(url.origin, (Origin{.tls = true, .host = "api.example.com", .port = 8443}));
  EXPECT_EQ(url.host_header, "api.example.com:8443");
  EXPECT_EQ(url.base_path, "/v1%2Fx");
  EXPECT_TRUE(url.slash_base);
  EXPECT_EQ(url.query, "a=1&b=%20");
}

TEST(ParseUpstreamUrl, LeavesDefaultPortsOutOfHost) {
  EXPECT_EQ(url_of("https://a.b:443").host_header, "a.b");
  EXPECT_EQ(url_of("http://a.b:80/").host_header, "a.b");
  EXPECT_EQ(url_of("http://a.b:443").host_header, "a.b:443");
  EXPECT_EQ(url_of("http://[FE::1]:8080/x").host_header, "[fe::1]:8080");
  EXPECT_EQ(url_of("http://[FE::1]:8080/x").origin.host, "fe::1");
}

TEST(ParseUpstreamUrl, RefusesEverythingElse) {
  for (const char* bad : {"",
                          "api.openai.com",
                          "//api.openai.com",
                          "http:/x",
                          "http:x",
                          "http://",
                          "http:///x",
                          "https://:443/",
                          "ftp://a.b",
                          "file:///etc/passwd",
                          "gopher://a.b",
                          "ws://a.b",
                          "unix:/run/x",
                          "javascript:alert(1)",
                          "http://user@a.b",
                          "http://user:password@a.b",
                          "http://@a.b",
                          "http://a.b#f",
                          "http://a.b/#",
                          "http://a.b/x y",
                          "http://a.b\\c",
                          "http://a.b/\\c",
                          "http://a\tb",
                          "http://a.b\n",
                          "http://a.b/\r\n",
                          " http://a.b",
                          "http://a.b ",
                          "http://a.b:0",
                          "http://a.b:65536",
                          "http://a.b:99999999999",
                          "http://a.b:x",
                          "http://a.b:-1",
                          "http://a.b.",
                          "http://a..b",
                          "http://127.0.0.1.",
                          "http://2130706433",
                          "http://0x7f000001",
                          "http://0177.0.0.1",
                          "http://127.1",
                          "http://0",
                          "http://[::1",
                          "http://::1",
                          "http://[fe80::1%25eth0]",
                          "http://[v1.x]",
                          "http://a%2eb",
                          "http://a%00b",
                          "http://\xe3\x80\x82",
                          "http://a\xe3\x80\x82\x62",
                          "http://a.b/../x",
                          "http://a.b/x/%2e%2e",
                          "http://a.b/%00",
                          "http://a.b/%zz",
                          "http://a.b//x"}) {
    const auto url = parse_upstream_url(bad);
    EXPECT_FALSE(url) << bad;
    if (!url) {
      EXPECT_EQ(url.error().field, "target_url") << bad;
      EXPECT_EQ(url.error().code, ErrorCode::kInvalid) << bad;
    }
  }
}

TEST(JoinTarget, GenericAppendsWithExactlyOneSlash) {
  EXPECT_EQ(generic("https://a.b/w", "/x"), "/w/x");
  EXPECT_EQ(generic("https://a.b/w/", "/x"), "/w/x");
  EXPECT_EQ(generic("https://a.b/w", "//x"), "/w/x");
  EXPECT_EQ(generic("https://a.b/w", "/x/"), "/w/x/");
  EXPECT_EQ(generic("https://a.b/w", "/x//y"), "/w/x//y");
  EXPECT_EQ(generic("https://a.b", "/x"), "/x");
  EXPECT_EQ(generic("https://a.b/", "/x"), "/x");
}

TEST(JoinTarget, GenericAppendsNothingForABareSlug) {
  for (const char* rest : {"", "/", "//"}) {
    EXPECT_EQ(generic("https://a.b/w", rest), "/w");
    EXPECT_EQ(generic("https://a.b/w/", rest), "/w/");
    EXPECT_EQ(generic("https://a.b", rest), "/");
    EXPECT_EQ(generic("https://a.b/search?q=1", rest), "/search?q=1");
  }
}

TEST(JoinTarget, OpenAiFoldsADoubledVersion) {
  const auto openai = [](std::string_view base, std::string_view rest) { return joined(base, kVersionedJoin, rest); };
  EXPECT_EQ(openai("https://a.b/v1", "/chat/completions"), "/v1/chat/completions");
  EXPECT_EQ(openai("https://a.b/v1/", "/v1/chat/completions"), "/v1/chat/completions");
  EXPECT_EQ(openai("https://a.b/v1", "/v1/v1/models"), "/v1/models");
  EXPECT_EQ(openai("https://a.b/v1", "/v1"), "/v1");
  EXPECT_EQ(openai("https://a.b/v1", "/v1/v1"), "/v1");
  EXPECT_EQ(openai("https://a.b", "/v1/models"), "/v1/models");
  EXPECT_EQ(openai("https://a.b", "/v1/v1/models"), "/v1/models");
  EXPECT_EQ(openai("https://a.b/api/v1", "/v1/models"), "/api/v1/models");
  EXPECT_EQ(openai("https://a.b/v1", "/v1x/models"), "/v1/v1x/models");
  EXPECT_EQ(openai("https://a.b/v2", "/v1/models"), "/v2/v1/models");
  EXPECT_EQ(openai("https://a.b/v1", ""), "/v1/");
}

// Only an OpenAI client could have the version in both URLs: Anthropic's got /v1/v1/messages, Gemini's
// /v1beta/v1beta/models.  Stands for any API's version, in the client's path, the service's URL, or both.
TEST(JoinTarget, EveryKnownVersionStandsOnce) {
  static constexpr std::string_view kVersions[] = {"v1beta", "v1", "v1alpha"};
  const auto join = [](std::string_view base, std::string_view rest) {
    return joined(base, {.bare_is_base = false, .once = kVersions}, rest);
  };
  EXPECT_EQ(join("https://a.b/v1beta", "/v1beta/models/m:generateContent"), "/v1beta/models/m:generateContent");
  EXPECT_EQ(join("https://a.b", "/v1beta/v1beta/models"), "/v1beta/models");
  EXPECT_EQ(join("https://a.b/v1", "/v1/v1/messages"), "/v1/messages");
  EXPECT_EQ(join("https://a.b/v1alpha/", "/v1alpha"), "/v1alpha");
  EXPECT_EQ(join("https://a.b/v1beta", "/models"), "/v1beta/models");
  // Different ones are both meant: who wrote them knows the upstream.
  EXPECT_EQ(join("https://a.b/v1beta", "/v1/models"), "/v1beta/v1/models");
  EXPECT_EQ(join("https://a.b/xv1", "/v1/models"), "/xv1/v1/models");
}

TEST(JoinTarget, PlainAlwaysPutsOneSlash) {
  EXPECT_EQ(joined("https://a.b/", kPlainJoin, "/v1/messages"), "/v1/messages");
  EXPECT_EQ(joined("https://a.b/v1", kPlainJoin, "/v1/messages"), "/v1/v1/messages");
  EXPECT_EQ(joined("https://a.b", kPlainJoin, "/v1beta/models/g:generateContent", "alt=sse"),
            "/v1beta/models/g:generateContent?alt=sse");
}

TEST(JoinTarget, KeepsBytesOrderAndEscapes) {
  EXPECT_EQ(generic("https://a.b/w", "/A%2fb%20c/%E4%B8%AD;v=1", "b=2&a=1&a=%31&c&=x&&d=%zz"),
            "/w/A%2fb%20c/%E4%B8%AD;v=1?b=2&a=1&a=%31&c&=x&&d=%zz");
  EXPECT_EQ(generic("https://a.b/w", "/models%2Fgemini-pro", "q=a+b%0Ac"), "/w/models%2Fgemini-pro?q=a+b%0Ac");
}

TEST(JoinTarget, PutsTheConfiguredQueryFirst) {
  EXPECT_EQ(generic("https://a.b/w?k=1&v=2", "/x", "c=3"), "/w/x?k=1&v=2&c=3");
  EXPECT_EQ(generic("https://a.b/w?k=1", "/x"), "/w/x?k=1");
}

TEST(JoinTarget, AClientsParameterReplacesTheConfiguredOne) {
  EXPECT_EQ(generic("https://a.b/w?k=1&v=2", "/x", "v=9"), "/w/x?k=1&v=9");
  EXPECT_EQ(generic("https://a.b/w?api%2Dversion=1", "", "api-version=2"), "/w?api-version=2");
}

TEST(JoinTarget, RefusesPathsThatCouldClimb) {
  for (const char* bad : {"/../x",
                          "/x/..",
                          "/..",
                          "/.",
                          "/./x",
                          "/%2e%2e/x",
                          "/%2E./x",
                          "/.%2e",
                          "/..%2fx",
                          "/x%2f..%2fy",
                          "/..%5cx",
                          "/..\\x",
                          "/x\\..\\y",
                          "/..;/x",
                          "/..;a=b/x",
                          "/%252e%252e/x",
                          "/..%252fx",
                          "/%252e%252e%252fx",
                          "/x/%2e%2e%3b/y",
                          "/%c0%ae%c0%ae/x",
                          "/..%c0%afx",
                          "/%e0%80%ae%e0%80%ae/x",
                          "/\xc0\xae\xc0\xae/x",
                          "/%00",
                          "/x%0d%0aHost:%20evil",
                          "/x%0a",
                          "/x%250d%250ay",
                          "/x%2500",
                          "/%",
                          "/%2",
                          "/%zz",
                          "/x y",
                          "/x\ry",
                          "/x\ny",
                          "/x\ty",
                          "/x#y",
                          "/x?y",
                          "/\x7f"}) {
    EXPECT_EQ(generic("https://a.b/w", bad), "refused") << bad;
  }
  EXPECT_EQ(generic("https://a.b/w", "x"), "refused");
  EXPECT_EQ(generic("https://a.b/w", std::string_view("/x\0y", 4)), "refused");
}

TEST(JoinTarget, LeavesHarmlessOddPathsAlone) {
  for (const char* fine :
       {"/@evil", "/x@y:80/z", "/...", "/..x", "/x..", "/.well-known/x", "/a%2eb", "/100%25", "/a%25b",
        "/%2f%2fevil.com", "/http://evil.com/", "/x;y=..z", "/%C3%A9", "/\xc3\xa9", "/a%25zz"}) {
    EXPECT_EQ(generic("https://a.b/w", fine), std::string("/w") + fine) << fine;
  }
}

TEST(JoinTarget, ASecondSlashNeverBeginsAHost) {
  EXPECT_EQ(generic("https://a.b", "//evil.com/x"), "/evil.com/x");
  EXPECT_EQ(joined("https://a.b", kPlainJoin, "///evil.com/x"), "/evil.com/x");
  EXPECT_EQ(joined("https://a.b", kVersionedJoin, "//evil.com/x"), "/evil.com/x");
}

TEST(JoinTarget, RefusesQueriesThatWouldBreakTheRequestLine) {
  for (const char* bad : {"a b", "a\r\nb", "a#b", "a\tb"})
    EXPECT_EQ(generic("https://a.b", "/x", bad), "refused") << bad;
}

TEST(JoinTarget, AppendsToWhatIsThere) {
  std::string out = "GET ";
  ASSERT_TRUE(join_target(url_of("https://a.b/w?k=1"), kGenericJoin, "/x", "c=2", out));
  EXPECT_EQ(out, "GET /w/x?k=1&c=2");
}

// A client's access_token travelled to Google beside our key, was refused, and cost the key its place.  The kind: a
// client says with its own credential who it is, where only ours may be said.
TEST(JoinTarget, WithholdsParametersInEverySpelling) {
  static constexpr std::string_view kNames[] = {"access_token", "$key"};
  const JoinRule rule = {.bare_is_base = false, .once = {}, .withheld = kNames};
  const auto joined = [&](std::string_view base, std::string_view query) {
    std::string out;
    EXPECT_TRUE(join_target(url_of(std::string(base)), rule, "/x", query, out));
    return out;
  };
  EXPECT_EQ(joined("https://a.b", "alt=sse"), "/x?alt=sse");
  EXPECT_EQ(joined("https://a.b", "access_token=1&alt=sse&access_token=2"), "/x?alt=sse");
  EXPECT_EQ(joined("https://a.b", "a=%20&access%5Ftoken=1&%61ccess_token=1&ACCESS_TOKEN&b=+"), "/x?a=%20&b=+");
  EXPECT_EQ(joined("https://a.b", "%24key=1&$key=2"), "/x");
  EXPECT_EQ(joined("https://a.b", "access_tokens=1&x=access_token"), "/x?access_tokens=1&x=access_token");
  EXPECT_EQ(joined("https://a.b/?access_token=ours", "access_token=theirs"), "/x?access_token=ours");
}

TEST(Parameters, AreRemovedByDecodedName) {
  EXPECT_EQ(remove_parameter("key=1&a=2&key=3", "key"), "a=2");
  EXPECT_EQ(remove_parameter("a=%20&k%65y=1&b=+", "key"), "a=%20&b=+");
  EXPECT_EQ(remove_parameter("keys=1&key", "key"), "keys=1");
  EXPECT_EQ(remove_parameter("a=1&&b=2", "key"), "a=1&&b=2");
  EXPECT_EQ(remove_parameter("", "key"), "");
  EXPECT_EQ(remove_parameter("key=1", "key"), "");
  EXPECT_EQ(remove_parameter("%zz=1&key=2", "key"), "%zz=1");
}

TEST(Parameters, AreFoundByDecodedName) {
  EXPECT_EQ(find_parameter("a=1&key=s%2Bk+1&key=2", "key"), "s+k 1");
  EXPECT_EQ(find_parameter("key", "key"), "");
  EXPECT_EQ(find_parameter("k%65y=x=y", "key"), "x=y");
  EXPECT_EQ(find_parameter("keys=1", "key"), std::nullopt);
  EXPECT_EQ(find_parameter("", "key"), std::nullopt);
}

}  // namespace
}  // namespace akr
