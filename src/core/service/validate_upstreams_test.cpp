#include <functional>

#include <gtest/gtest.h>

#include "core/service/validate.hpp"

namespace akr {
namespace {

// As llm/ gives them to core.
KnownFormats known_formats() { return {.upstreams = {{"openai_compatible", "openai"}}, .clients = {"openai"}}; }

// The field of a service with two URLs that is refused after `change`, "" if none.
std::string refused(const std::function<void(Service&)>& change,
                    const ValidationPolicy& policy = {.formats = known_formats()}) {
  Service service;
  service.id = ServiceId{5};
  service.name = service.slug = "a";
  service.target_url = "https://a.example";
  service.upstreams = {{.url = "https://a.example"}, {.url = "https://b.example"}};
  change(service);
  const auto result = validate_service(service, policy);
  return result ? "" : result.error().field;
}

TEST(ValidateUpstreams, EveryUrlPassesTheChecksOfTheOne) {
  EXPECT_EQ(refused([](Service&) {}), "");
  for (const char* bad : {"", "a.example", "http://169.254.169.254/", "http://metadata.google.internal/",
                          "http://a.example:25/", "http://user@a.example/", "http://0x7f000001/"}) {
    EXPECT_EQ(refused([&](Service& s) { s.upstreams[1].url = bad; }), "upstreams[1].url") << bad;
  }
  EXPECT_EQ(refused([](Service& s) { s.upstreams[1].url = "https://b.example/" + std::string(2048, 'x'); }),
            "upstreams[1].url");
  const auto loopback = [](Service& s) { s.upstreams[1].url = "http://127.0.0.1:8080"; };
  EXPECT_EQ(refused(loopback, {.allow_private_upstreams = true}), "");
  EXPECT_EQ(refused(loopback, {.allow_private_upstreams = false}), "upstreams[1].url");
}

TEST(ValidateUpstreams, TheFirstIsTheTargetUrl) {
  EXPECT_EQ(refused([](Service& s) { s.target_url = "https://b.example"; }), "target_url");
  EXPECT_EQ(refused([](Service& s) { s.upstreams.clear(); }), "");
}

TEST(ValidateUpstreams, OneOfThemCanBeChosen) {
  EXPECT_EQ(refused([](Service& s) { s.upstreams[0].weight = 0; }), "");
  EXPECT_EQ(refused([](Service& s) { s.upstreams[0].weight = s.upstreams[1].weight = 0; }), "upstreams");
  EXPECT_EQ(refused([](Service& s) { s.upstreams[1].weight = 1'000'001; }), "upstreams[1].weight");
  EXPECT_EQ(refused([](Service& s) { s.upstreams.resize(32, s.upstreams[1]); }), "");
  EXPECT_EQ(refused([](Service& s) { s.upstreams.resize(33, s.upstreams[1]); }), "upstreams");
}

TEST(ValidateUpstreams, FallbacksAreOthersAndDistinct) {
  const auto with = [](std::vector<std::int64_t> ids) {
    return refused([&](Service& s) {
      for (const auto id : ids) s.fallbacks.push_back(ServiceId{id});
    });
  };
  EXPECT_EQ(with({1, 2, 3, 4, 6, 7, 8, 9}), "");
  EXPECT_EQ(with({1, 2, 3, 4, 6, 7, 8, 9, 10}), "fallbacks");
  EXPECT_EQ(with({1, 5}), "fallbacks[1]");
  EXPECT_EQ(with({1, 2, 1}), "fallbacks[2]");
}

TEST(ValidateAffinity, PointersFollowTheirRfc) {
  const auto with = [](std::string pointer) {
    return refused([&](Service& s) { s.affinity_rules = {{.created = {"/id"}, .used = {std::move(pointer)}}}; });
  };
  for (const char* fine : {"/", "/id", "/a/0/b", "/a~0b", "/a~1b", "/*", "/ "}) EXPECT_EQ(with(fine), "") << fine;
  for (const char* bad : {"", "id", "#/id", "/a~", "/a~2", "/~~0"}) {
    EXPECT_EQ(with(bad), "affinity_rules[0].used[0]") << bad;
  }
  EXPECT_EQ(with("/" + std::string(1000, 'x')), "affinity_rules[0].used[0]");
  EXPECT_EQ(refused([](Service& s) { s.affinity_rules = {{.used = {"/id"}}}; }), "affinity_rules[0].created");
  EXPECT_EQ(refused([](Service& s) { s.affinity_rules = {{.created = std::vector<std::string>(17, "/id")}}; }),
            "affinity_rules[0].created");
}

TEST(ValidateAffinity, PathsAndMethodsCanBeMet) {
  const auto with = [](std::string method, std::string path) {
    return refused([&](Service& s) {
      s.affinity_rules = {{.created = {"/id"}},
                          {.method = std::move(method), .path = std::move(path), .created = {"/id"}}};
    });
  };
  for (const char* fine : {"", "/", "/jobs", "/jobs/*", "/*/x/*"}) EXPECT_EQ(with("POST", fine), "") << fine;
  for (const char* bad : {"jobs", "*", "/jobs/..", "/jobs?x", "/a b", "/a*", "/**", "/%2e%2e"}) {
    EXPECT_EQ(with("POST", bad), "affinity_rules[1].path") << bad;
  }
  for (const char* bad : {"post", "P T", "POST,PUT"}) EXPECT_EQ(with(bad, "/jobs"), "affinity_rules[1].method") << bad;
}

TEST(ValidateAffinity, OnlyGenericServicesHaveAValidationPath) {
  const auto with = [](std::string path) { return refused([&](Service& s) { s.validation_path = std::move(path); }); };
  for (const char* fine : {"", "/", "/account", "/a/%20b"}) EXPECT_EQ(with(fine), "") << fine;
  for (const char* bad : {"account", "/..", "/a?b", "/a#b", "/a\nb", "/a/..;x/b", "/%"}) {
    EXPECT_EQ(with(bad), "validation_path") << bad;
  }
  EXPECT_EQ(with("/" + std::string(2047, 'x')), "");
  EXPECT_EQ(with("/" + std::string(2048, 'x')), "validation_path");
  EXPECT_EQ(refused([](Service& s) {
              s.type = ServiceType::kLlm;
              s.api_format = "openai_compatible";
              s.validation_path = "/me";
            }),
            "validation_path");
}

}  // namespace
}  // namespace akr
