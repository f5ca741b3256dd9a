#include "core/service/validate.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace akr {
namespace {

using std::chrono::milliseconds;

// As llm/ gives them to core.
KnownFormats known_formats() {
  return {
      .upstreams = {{"openai_compatible", "openai"}, {"anthropic_native", "anthropic"}, {"gemini_native", "gemini"}},
      .clients = {"openai", "openai_responses", "anthropic", "gemini"}};
}

Service rest_service() {
  Service service;
  service.name = "Weather";
  service.slug = "weather";
  service.target_url = "https://api.example.com/v2";
  service.methods = {"GET"};
  service.key_placement = KeyPlacement{.location = KeyLocation::kHeader, .name = "Authorization", .prefix = "Bearer "};
  return service;
}

Service llm_service() {
  Service service;
  service.type = ServiceType::kLlm;
  service.name = "OpenAI";
  service.slug = "openai";
  service.target_url = "https://api.openai.com/v1";
  service.api_format = "openai_compatible";
  service.output_format = "none";
  return service;
}

// The field that is refused, "" if none.
std::string refused_field(const Service& service, const ValidationPolicy& policy = {.formats = known_formats()}) {
  const auto result = validate_service(service, policy);
  return result ? "" : result.error().field;
}

std::string refused_rest(const std::function<void(Service&)>& change) {
  Service service = rest_service();
  change(service);
  return refused_field(service);
}

TEST(ValidateService, AcceptsOrdinaryServices) {
  EXPECT_EQ(refused_field(rest_service()), "");
  EXPECT_EQ(refused_field(llm_service()), "");
  for (const char* format : {"anthropic_native", "gemini_native"}) {
    Service service = llm_service();
    service.api_format = format;
    EXPECT_EQ(refused_field(service), "") << format;
  }
}

TEST(ValidateService, NamesHaveOneToAHundredCharacters) {
  const auto with_name = [](std::string name) { return refused_rest([&](Service& s) { s.name = std::move(name); }); };
  EXPECT_EQ(with_name(std::string(100, 'x')), "");
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += "天";
  EXPECT_EQ(with_name(hundred), "");
  EXPECT_EQ(with_name(hundred + "x"), "name");
  for (const char* bad : {"", " ", "a\nb", "a\x7f", "a\xc2\x85", "\xff", "\xc0\xaf", "\xed\xa0\x80"}) {
    EXPECT_EQ(with_name(bad), "name") << bad;
  }
}

TEST(ValidateService, SlugsAreUrlSafe) {
  const auto with_slug = [](std::string slug) { return refused_rest([&](Service& s) { s.slug = std::move(slug); }); };
  for (const char* fine : {"a", "A-b_c.1", "...", "-"}) EXPECT_EQ(with_slug(fine), "") << fine;
  EXPECT_EQ(with_slug(std::string(100, 'x')), "");
  EXPECT_EQ(with_slug(std::string(101, 'x')), "slug");
  for (const char* bad : {"", ".", "..", "a b", "a/b", "a%20", "é", "a\r\nb", "a?b", "a#b", "a:b"}) {
    EXPECT_EQ(with_slug(bad), "slug") << bad;
  }
}

// reliability.md E-41.  What is refused whatever the policy says.
TEST(ValidateService, RefusesDangerousTargetsAlways) {
  for (const char* bad : {"http://169.254.169.254/latest/meta-data",
                          "http://169.254.1.1",
                          "http://[::ffff:169.254.169.254]/",
                          "http://[::ffff:a9fe:a9fe]/",
                          "http://[fd00:ec2::254]/",
                          "http://metadata.google.internal/",
                          "http://METADATA.google.internal/",
                          "http://metadata/",
                          "http://metadata.google.internal./",
                          "http://100.100.100.200/",
                          "http://224.0.0.1/",
                          "http://239.1.1.1/",
                          "http://255.255.255.255/",
                          "http://0.0.0.0/",
                          "http://0/",
                          "http://2852039166/",
                          "http://0xa9fea9fe/",
                          "http://0251.0376.0251.0376/",
                          "http://169.254.43518/",
                          "http://2130706433/",
                          "http://0x7f000001/",
                          "http://0177.0.0.1/",
                          "http://127.1/",
                          "http://127.0.0.1./",
                          "http://[fe80::1]/",
                          "http://[fe80::1%25eth0]/",
                          "http://[::]/",
                          "http://[ff02::1]/",
                          "http://user@a.example/",
                          "http://user:pw@a.example/",
                          "http://a.example#@b/",
                          "http://a.example\\@b/",
                          "http://a\t.example/",
                          "http://a.example\n/",
                          "http://a\xe3\x80\x82\x65xample/",
                          "http:/x",
                          "file:///etc/passwd",
                          "gopher://a.example/",
                          "ftp://a.example/",
                          "ws://a.example/",
                          "unix:/var/run/docker.sock",
                          "http://a.example:0/",
                          "http://a.example:22/",
                          "http://a.example:25/",
                          "http://a.example:6379/",
                          "http://a.example:65536/",
                          "http://a.example:99999/",
                          "http://168.63.129.16/",
                          "http://[64:ff9b::a9fe:a9fe]/",
                          "http://[2002:a9fe:a9fe::]/",
                          ""}) {
    EXPECT_EQ(refused_rest([&](Service& s) { s.target_url = bad; }), "target_url") << bad;
  }
}

TEST(ValidateService, PrivateTargetsDependOnThePolicy) {
  for (const char* url : {"http://127.0.0.1:11434/v1", "http://localhost:1234", "http://10.0.0.5", "http://192.168.1.2",
                          "http://172.16.0.1", "http://[::1]:8080", "http://[::ffff:127.0.0.1]", "http://100.64.0.1",
                          "http://198.18.0.1", "http://[fc00::1]", "http://api.localhost"}) {
    Service service = rest_service();
    service.target_url = url;
    EXPECT_EQ(refused_field(service, {.allow_private_upstreams = true}), "") << url;
    EXPECT_EQ(refused_field(service, {.allow_private_upstreams = false}), "target_url") << url;
  }
}

TEST(ValidateService, LlmServicesNameTheirOwnUrlField) {
  Service service = llm_service();
  service.target_url = "nonsense";
  EXPECT_EQ(refused_field(service), "target_base_url");
}

TEST(ValidateService, MethodsAreUpperCaseWords) {
  const auto with_methods = [](std::vector<std::string> methods) {
    return refused_rest([&](Service& s) { s.methods = std::move(methods); });
  };
  EXPECT_EQ(with_methods({}), "");
  EXPECT_EQ(with_methods({"GET", "POST", "PROPFIND"}), "");
  for (const char* bad : {"", "get", "TRACE", "CONNECT", "G T", "GET,POST", "GET\r\n"}) {
    EXPECT_EQ(with_methods({bad}), "method") << bad;
  }
  EXPECT_EQ(with_methods({"GET", "GET"}), "method");
  Service llm = llm_service();
  llm.methods = {"POST"};
  EXPECT_EQ(refused_field(llm), "method");
}

TEST(ValidateService, FormatsAreKnown) {
  Service service = llm_service();
  service.api_format = "openai";
  EXPECT_EQ(refused_field(service), "api_format");
  service.api_format = "";
  EXPECT_EQ(refused_field(service), "api_format");
  service = llm_service();
  for (const char* own : {"", "none", "openai", "openai_compatible"}) {
    service.output_format = own;
    EXPECT_EQ(refused_field(service), "") << own;
  }
  service.output_format = "cobol";
  EXPECT_EQ(refused_field(service), "output_format");
}

TEST(ValidateService, SaysThatConversionIsNotThereYet) {
  Service service = llm_service();
  service.output_format = "anthropic";
  const auto result = validate_service(service, {.formats = known_formats()});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(result.error().field, "output_format");
}

TEST(ValidateService, GenericServicesMayCarryTheOriginalsDefaults) {
  EXPECT_EQ(refused_rest([](Service& s) {
              s.api_format = "openai_compatible";
              s.output_format = "none";
            }),
            "");
  EXPECT_EQ(refused_rest([](Service& s) { s.api_format = "x"; }), "api_format");
}

// reliability.md E-51.
TEST(ValidateService, KeysDoNotTravelInFramingHeaders) {
  const auto with_header = [](std::string name) {
    return refused_rest([&](Service& s) { s.key_placement = KeyPlacement{.name = std::move(name)}; });
  };
  for (const char* fine : {"Authorization", "x-api-key", "X-Subscription-Token", "Cookie"}) {
    EXPECT_EQ(with_header(fine), "") << fine;
  }
  for (const char* bad :
       {"", "Host", "content-length", "Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade",
        "Proxy-Connection", "Proxy-Authorization", "X-Proxy-Key", "Expect", ":path", "a b", "a:b", "a\r\nb", "é"}) {
    EXPECT_EQ(with_header(bad), "api_key_name") << bad;
  }
  EXPECT_EQ(with_header(std::string(100, 'x')), "");
  EXPECT_EQ(with_header(std::string(101, 'x')), "api_key_name");
}

TEST(ValidateService, QueryNamesNeedNoEscapes) {
  const auto with_parameter = [](std::string name) {
    return refused_rest(
        [&](Service& s) { s.key_placement = KeyPlacement{.location = KeyLocation::kQuery, .name = std::move(name)}; });
  };
  EXPECT_EQ(with_parameter("api_key"), "");
  for (const char* bad : {"", "a&b", "a=b", "a b", "a#b", "a%20", "é"})
    EXPECT_EQ(with_parameter(bad), "api_key_name") << bad;
}

TEST(ValidateService, PrefixesArePrintable) {
  const auto with_prefix = [](std::string prefix) {
    return refused_rest([&](Service& s) { s.key_placement->prefix = std::move(prefix); });
  };
  EXPECT_EQ(with_prefix("Token token="), "");
  for (const char* bad : {"a\r\n", "a\tb", "é", "\x7f"}) EXPECT_EQ(with_prefix(bad), "api_key_prefix") << bad;
}

TEST(ValidateService, EgressProxiesAreUsable) {
  const auto with_proxy = [](std::string url) {
    return refused_rest([&](Service& s) { s.egress_proxy = std::move(url); });
  };
  for (const char* fine : {"", "http://proxy:3128", "https://proxy.example:443/", "socks5://u:p%40x@10.0.0.1:1080",
                           "socks5h://[::1]:1080", "SOCKS5://u@proxy:1"}) {
    EXPECT_EQ(with_proxy(fine), "") << fine;
  }
  for (const char* bad : {"proxy:3128", "http://proxy", "http://proxy:0", "http://proxy:70000", "ftp://proxy:21",
                          "socks4://proxy:1080", "http://:3128", "http://proxy:3128/x", "http://proxy:3128?x",
                          "http://proxy:3128#x", "http://u:%0d%0a@proxy:3128", "http://169.254.169.254:80",
                          "http://0x7f.1:80", "http://pro xy:80", "http://[v1.x]:80"}) {
    EXPECT_EQ(with_proxy(bad), "egress_proxy") << bad;
  }
}

// ALLOW_PRIVATE_UPSTREAMS=false was asked about upstreams only: a proxy inside was connected to all the same.  Stands
// for addresses that are reached without the one policy.
TEST(ValidateService, AProxyObeysTheAddressPolicyToo) {
  Service service = rest_service();
  for (const char* url : {"http://10.0.0.1:3128", "socks5://[::1]:1080", "https://localhost:443"}) {
    service.egress_proxy = url;
    EXPECT_TRUE(validate_service(service, {})) << url;
    const auto refused = validate_service(service, {.allow_private_upstreams = false});
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().field, "egress_proxy");
    EXPECT_NE(refused.error().message.find("ALLOW_PRIVATE_UPSTREAMS"), std::string::npos);
  }
  service.egress_proxy = "http://proxy.example:3128";  // judged again by what it resolves to
  EXPECT_TRUE(validate_service(service, {.allow_private_upstreams = false}));
}

// What is saved is what is used: one reading of the URL for both.
TEST(ValidateService, AProxyThatTheConnectorCannotReadIsRefused) {
  Service service = rest_service();
  for (const char* url : {"http://:secret@p:1", "http://a%3Ab:secret@p:1", "http://1.2.3.4.nip.test:3128"}) {
    service.egress_proxy = url;
    const auto refused = validate_service(service, {});
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().field, "egress_proxy");
    EXPECT_EQ(refused.error().message.find("secret"), std::string::npos);
  }
}

TEST(ValidateService, ProxyErrorsNeverRepeatThePassword) {
  Service service = rest_service();
  service.egress_proxy = "http://user:hunter2hunter2@proxy";
  const auto result = validate_service(service, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message.find("hunter2"), std::string::npos);
}

TEST(ValidateService, NumbersAreBounded) {
  EXPECT_EQ(refused_rest([](Service& s) { s.timeouts.connect = milliseconds(0); }), "connect_timeout_ms");
  EXPECT_EQ(refused_rest([](Service& s) { s.timeouts.connect = std::chrono::minutes(6); }), "connect_timeout_ms");
  EXPECT_EQ(refused_rest([](Service& s) { s.timeouts.first_byte = milliseconds(0); }), "first_byte_timeout_ms");
  EXPECT_EQ(refused_rest([](Service& s) { s.timeouts.stream_idle = milliseconds(-1); }), "stream_idle_timeout_ms");
  EXPECT_EQ(refused_rest([](Service& s) { s.timeouts.total = milliseconds(0); }), "");
  EXPECT_EQ(refused_rest([](Service& s) { s.timeouts.total = milliseconds(-1); }), "total_timeout_ms");
  EXPECT_EQ(refused_rest([](Service& s) { s.retry.max_attempts = 0; }), "max_attempts");
  EXPECT_EQ(refused_rest([](Service& s) { s.retry.max_attempts = 10; }), "");
  EXPECT_EQ(refused_rest([](Service& s) { s.retry.max_attempts = 11; }), "max_attempts");
  EXPECT_EQ(refused_rest([](Service& s) { s.retry.budget = milliseconds(-1); }), "retry_budget_ms");
}

TEST(ValidateKey, AcceptsWhatProvidersIssue) {
  for (const char* fine : {"k", "sk-proj-abc_DEF-123", "AIzaSyA-1234567890abcdefghijk", "Bearer sk-abcdefgh12345678",
                           "eyJhbGciOi.eyJzdWIi.c2ln", "a=b;c:d/+$&{}", "user:password,1"}) {
    EXPECT_TRUE(validate_key(Secret(fine))) << fine;
  }
  EXPECT_TRUE(validate_key(Secret(std::string(8192, 'k'))));
}

TEST(ValidateKey, RefusesWhatCannotBeSent) {
  for (const char* bad : {"", " k", "k ", "a\r\nb", "a\tb", "a\x7f", "clé", "\xf0\x9f\x94\x91"}) {
    EXPECT_FALSE(validate_key(Secret(bad))) << bad;
  }
  EXPECT_FALSE(validate_key(Secret(std::string(8193, 'k'))));
  EXPECT_FALSE(validate_key(Secret(std::string_view("a\0b", 3))));
}

// behaviour.md scenario 52.
TEST(ValidateKey, RefusesListsOfKeys) {
  for (const char* list :
       {"sk-aaaaaaaa,sk-bbbbbbbb", "sk-aaaaaaaa, sk-bbbbbbbb", "sk-aaaaaaaa sk-bbbbbbbb", "sk-aaaaaaaa,sk-bbbbbbbb,"}) {
    const auto result = validate_key(Secret(list));
    ASSERT_FALSE(result) << list;
    EXPECT_EQ(result.error().message.find("sk-"), std::string::npos);
  }
}

}  // namespace
}  // namespace akr
