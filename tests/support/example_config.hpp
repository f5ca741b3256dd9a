// example_config.hpp - services and keys for tests.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/service/service.hpp"

namespace akr {

inline Service example_service(const std::string& slug) {
  Service service;
  service.name = "Service " + slug;
  service.slug = slug;
  service.target_url = "https://api.example.com/v1";
  service.methods = {"GET", "POST"};
  service.api_format = "openai_compatible";
  service.output_format = "none";
  service.timeouts = default_timeouts(ServiceType::kGeneric, std::chrono::milliseconds(30'000));
  return service;
}

inline Service example_llm_service(const std::string& slug) {
  Service service = example_service(slug);
  service.type = ServiceType::kLlm;
  service.methods.clear();
  service.api_format = "anthropic_native";
  service.output_format = "openai";
  service.key_placement = KeyPlacement{KeyLocation::kHeader, "X-Custom", "Key "};
  service.egress_proxy = "socks5h://user:secret@proxy.example.com:1080";
  service.timeouts = {std::chrono::milliseconds(1), std::chrono::milliseconds(2), std::chrono::milliseconds(3),
                      std::chrono::milliseconds(0)};
  service.retry = {7, std::chrono::milliseconds(1234), false};
  service.selection_policy = "random";
  service.auto_disable = service.outage_guard = false;
  service.invalid_after = 5;
  service.wait_for_key = std::chrono::milliseconds(1500);
  service.failure_rules = {
      {.statuses = {429, 430}, .body_regex = "it's \"over\"", .action = RuleAction::kCool, .scope = Scope::kGroup}};
  service.upstreams = {{.url = service.target_url, .weight = 3, .priority = -1},
                       {.url = "https://eu.example.com/v1?it's=\"odd\"", .weight = 0, .priority = 1}};
  service.fallbacks = {ServiceId{7}, ServiceId{5'000'000'000}};
  service.affinity_rules = {{.method = "POST", .path = "/jobs/*", .created = {"/id", "/a~1b/0"}, .used = {"/job_id"}},
                            {.created = {"/名字"}}};
  service.retry_on_empty = true;
  service.accept_body_key = service.stream_uploads = service.allow_set_cookie = true;
  service.active = false;
  return service;
}

inline std::vector<NewKey> example_keys(int count, const std::string& prefix = "sk-test-") {
  std::vector<NewKey> keys;
  for (int i = 0; i < count; ++i) keys.push_back({Secret(prefix + std::to_string(100000 + i)), true});
  return keys;
}

}  // namespace akr
