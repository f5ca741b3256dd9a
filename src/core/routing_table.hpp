// routing_table.hpp - all services by slug; immutable, replaced whole (architecture 7).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "core/failure_rules.hpp"
#include "core/key_pool.hpp"
#include "core/service.hpp"
#include "core/url.hpp"

namespace akr {

// A service with everything the data plane needs, prepared once at publication.
struct RoutedService {
  Service config;
  UpstreamUrl url;  // of config.target_url
  JoinRule join = JoinRule::kGeneric;
  std::string allow;  // config.methods joined by ", "; "" = any
  std::shared_ptr<KeyPool> keys;
  std::shared_ptr<const FailureRules> rules;  // nullptr = none
};

struct RouteMatch {
  const RoutedService* service = nullptr;  // lives as long as the table
  std::string_view rest;                   // after the slug: "" or "/..."; still percent-encoded
  std::string_view query;                  // without '?'; "" if none
};

class RoutingTable {
 public:
  explicit RoutingTable(std::vector<RoutedService> services);
  RoutingTable(const RoutingTable&) = delete;  // by_slug_ looks into services_
  RoutingTable& operator=(const RoutingTable&) = delete;

  // `target` in origin form ("/proxy/{slug}/rest?query").  Generic services answer under /proxy/ and LLM services under
  // /llm/ only.  kServiceNotFound for unknown and for disabled services alike.
  Result<RouteMatch> match(std::string_view target) const;

  const std::vector<RoutedService>& services() const { return services_; }

 private:
  std::vector<RoutedService> services_;
  std::unordered_map<std::string_view, std::size_t> by_slug_;  // views into services_; active ones only
};

}  // namespace akr
