#include <map>
#include <string>

#include <gtest/gtest.h>

#include "net/client/connector.hpp"

namespace akr::net {
namespace {

using Environment = std::map<std::string, std::string>;

std::string proxy_in(const Environment& environment, bool tls, std::string_view host, std::uint16_t port = 443) {
  const auto getenv = [&](const char* name) -> const char* {
    const auto it = environment.find(name);
    return it == environment.end() ? nullptr : it->second.c_str();
  };
  return env_proxy_for(tls, host, port, getenv);
}

TEST(EnvProxy, SchemeDecidesAndAllProxyFillsIn) {
  const Environment environment = {{"HTTPS_PROXY", "http://s:1"}, {"http_proxy", "http://p:2"}};
  EXPECT_EQ(proxy_in(environment, true, "a.test"), "http://s:1");
  EXPECT_EQ(proxy_in(environment, false, "a.test"), "http://p:2");
  const Environment all = {{"ALL_PROXY", "socks5h://x:3"}, {"http_proxy", "http://p:2"}};
  EXPECT_EQ(proxy_in(all, true, "a.test"), "socks5h://x:3");
  EXPECT_EQ(proxy_in(all, false, "a.test"), "http://p:2");
  EXPECT_EQ(proxy_in({}, true, "a.test"), "");
}

TEST(EnvProxy, UpperCaseHttpProxyIsNotBelieved) {
  EXPECT_EQ(proxy_in({{"HTTP_PROXY", "http://evil:1"}}, false, "a.test"), "");
}

TEST(EnvProxy, LowerCaseWinsAndEmptyCountsAsUnset) {
  EXPECT_EQ(proxy_in({{"HTTPS_PROXY", "http://u:1"}, {"https_proxy", "http://l:1"}}, true, "a.test"), "http://l:1");
  EXPECT_EQ(proxy_in({{"HTTPS_PROXY", "http://u:1"}, {"https_proxy", ""}}, true, "a.test"), "http://u:1");
}

TEST(EnvProxy, ValueWithoutSchemeMeansHttp) {
  EXPECT_EQ(proxy_in({{"https_proxy", "proxy.test:3128"}}, true, "a.test"), "http://proxy.test:3128");
}

TEST(EnvProxy, LocalhostIsNeverProxied) {
  const Environment environment = {{"all_proxy", "http://p:1"}};
  for (const char* host : {"localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"}) {
    EXPECT_EQ(proxy_in(environment, false, host), "") << host;
  }
}

TEST(EnvProxy, NoProxyEntries) {
  struct Case {
    const char* no_proxy;
    const char* host;
    std::uint16_t port;
    bool direct;
  };
  const Case cases[] = {
      {"*", "a.test", 443, true},
      {"a.test", "a.test", 443, true},
      {"a.test", "A.TEST", 443, true},
      {"a.test", "a.test.", 443, true},
      {"a.test", "x.a.test", 443, true},
      {"a.test", "ba.test", 443, false},
      {".a.test", "x.a.test", 443, true},
      {".a.test", "a.test", 443, false},
      {"*.a.test", "x.a.test", 443, true},
      {" b.test , a.test ", "a.test", 443, true},
      {"a.test:443", "a.test", 443, true},
      {"a.test:80", "a.test", 443, false},
      {"192.0.2.1", "192.0.2.1", 443, true},
      {"192.0.2.1:80", "192.0.2.1", 443, false},
      {"192.0.2.0/24", "192.0.2.200", 443, true},
      {"192.0.2.0/25", "192.0.2.200", 443, false},
      {"192.0.2.0/33", "192.0.2.1", 443, false},
      {"0.0.0.0/0", "192.0.2.1", 443, true},
      {"2001:db8::/32", "2001:db8::7", 443, true},
      {"2001:db8::7", "2001:db8:0::7", 443, true},
      {"[2001:db8::7]:443", "2001:db8::7", 443, true},
      {"[2001:db8::7]:80", "2001:db8::7", 443, false},
      {"192.0.2.0/24", "a.test", 443, false},
      {",,", "a.test", 443, false},
  };
  for (const Case& one : cases) {
    const Environment environment = {{"all_proxy", "http://p:1"}, {"NO_PROXY", one.no_proxy}};
    EXPECT_EQ(proxy_in(environment, true, one.host, one.port).empty(), one.direct) << one.no_proxy << " " << one.host;
  }
}

TEST(ParseEgressProxy, GoodUrls) {
  EXPECT_EQ(parse_egress_proxy("")->kind, EgressProxy::Kind::kNone);
  const auto plain = parse_egress_proxy("HTTP://Proxy.Test:3128/");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->kind, EgressProxy::Kind::kHttp);
  EXPECT_EQ(plain->host, "proxy.test");
  EXPECT_EQ(plain->port, 3128);
  EXPECT_TRUE(plain->user.empty());
  const auto full = parse_egress_proxy("socks5h://us%40er:p%3Aw@[::1]:1080");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->kind, EgressProxy::Kind::kSocks5h);
  EXPECT_EQ(full->host, "::1");
  EXPECT_EQ(full->user, "us@er");
  EXPECT_EQ(full->password.expose(), "p:w");
  EXPECT_EQ(parse_egress_proxy("https://p.test:443")->kind, EgressProxy::Kind::kHttps);
  EXPECT_EQ(parse_egress_proxy("socks5://10.0.0.1:1080")->kind, EgressProxy::Kind::kSocks5);
}

TEST(ParseEgressProxy, BadUrlsAreRefusedWithoutRepeatingThem) {
  for (const char* url : {"proxy:3128",
                          "ftp://p:1",
                          "socks4://p:1",
                          "http://",
                          "http://p",
                          "http://p:",
                          "http://p:0",
                          "http://p:65536",
                          "http://p:1/path",
                          "http://p:1?q",
                          "http://:1",
                          "http://u:secret@",
                          "http://u:%zz@p:1",
                          "http://:secret@p:1",
                          "http://p p:1",
                          "http://p\r\n:1",
                          "http://[::1:1",
                          "http://[::1]x:1",
                          "http://a%3Ab:secret@p:1",
                          "http://p:+1"}) {
    const auto result = parse_egress_proxy(url);
    ASSERT_FALSE(result) << url;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(result.error().field, "egress_proxy");
    EXPECT_EQ(result.error().message.find("secret"), std::string::npos);
  }
  EXPECT_FALSE(parse_egress_proxy("socks5://" + std::string(256, 'u') + ":p@p:1"));
}

}  // namespace
}  // namespace akr::net
