#include "upstream/credential.hpp"

#include <gtest/gtest.h>

#include "upstream/free_call.hpp"

namespace akr {
namespace {

PooledKey key(const std::string& secret) {
  PooledKey made;
  made.secret = Secret(secret);
  return made;
}

RoutedService openai() {
  RoutedService made;
  made.config.type = ServiceType::kLlm;
  made.config.api_format = "openai_compatible";
  find_provider_of(made);
  made.url = parse_upstream_url("https://up.example/v1").value();
  return made;
}

std::string target_of(const RoutedService& service, std::string_view target, const std::string& secret) {
  std::string out;
  append_target(credential_of(service), service.url, target, key(secret), out);
  return out;
}

std::string field_of(const RoutedService& service, const std::string& secret) {
  std::string out;
  append_credential(credential_of(service), key(secret), out);
  return out;
}

TEST(Credential, StandsWhereTheProviderWantsItUnlessTheOperatorSaysOtherwise) {
  RoutedService service = openai();
  EXPECT_EQ(field_of(service, "sk"), "authorization: Bearer sk\r\n");
  service.config.key_placement = KeyPlacement{KeyLocation::kHeader, "X-Key", "Token "};
  EXPECT_EQ(field_of(service, "sk"), "X-Key: Token sk\r\n");
  EXPECT_EQ(target_of(service, "/v1/a?b=1", "sk"), "/v1/a?b=1");
  service.config.key_placement = KeyPlacement{KeyLocation::kQuery, "api key", ""};
  EXPECT_EQ(field_of(service, "sk"), "");
  EXPECT_EQ(target_of(service, "/v1/a", "s&k"), "/v1/a?api%20key=s%26k");
}

TEST(Credential, OthersOfItsNameContradictIt) {
  RoutedService service = openai();
  EXPECT_TRUE(credential_of(service).contradicted_by("Authorization"));
  EXPECT_FALSE(credential_of(service).contradicted_by("authorizations"));
  service.config.key_placement = KeyPlacement{KeyLocation::kQuery, "key", ""};
  EXPECT_FALSE(credential_of(service).contradicted_by("key"));
  EXPECT_EQ(target_of(service, "/v1/a?key=theirs&b=1&k%65y=too", "ours"), "/v1/a?b=1&key=ours");
}

TEST(Credential, GenericServicesWithoutAPlaceSendNone) {
  RoutedService service;
  service.url = parse_upstream_url("https://up.example").value();
  EXPECT_EQ(field_of(service, "sk"), "");
  EXPECT_EQ(target_of(service, "/a", "sk"), "/a");
}

// A validation call kept a parameter of the key's name that stood in the service's URL (kind: what places a key was
// written twice and had drifted).
TEST(FreeCall, PlacesTheKeyAsRequestsDo) {
  RoutedService service = openai();
  service.url = parse_upstream_url("https://up.example/v1?key=old&tenant=1").value();
  service.config.key_placement = KeyPlacement{KeyLocation::kQuery, "key", ""};
  const PooledKey fresh = key("new");
  std::string head;
  FreeCall::make(service, service.url, fresh).value().write_head(head);
  EXPECT_TRUE(head.starts_with("GET /v1/models?tenant=1&key=new HTTP/1.1\r\nHost: up.example\r\n")) << head;
}

}  // namespace
}  // namespace akr
