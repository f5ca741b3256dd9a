// routing_table.hpp - all services by slug; immutable, replaced whole (architecture 7).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "core/keys/key_pool.hpp"
#include "core/outcome/failure_rules.hpp"
#include "core/service/service.hpp"
#include "core/service/upstream_set.hpp"
#include "core/service/url.hpp"

namespace akr {

struct Provider;  // llm/provider.hpp; only carried here

// A service with everything the data plane needs, prepared once at publication.
struct RoutedService {
  Service config;
  UpstreamUrl url;                         // of config.target_url
  std::shared_ptr<UpstreamSet> upstreams;  // of config.upstreams; nullptr: `url` is the only one
  JoinRule join = kGenericJoin;
  const Provider* provider = nullptr;   // of config.api_format; static.  nullptr: GENERIC
  std::string_view client_format = {};  // what its clients speak (core/service/client_format.hpp); static
  std::string allow;                    // config.methods joined by ", "; "" = any
  std::shared_ptr<KeyPool> keys;
  std::shared_ptr<const FailureRules> rules;         // nullptr = none
  std::vector<const RoutedService*> fallbacks = {};  // config.fallbacks, found by RoutingTable; as long as the table
};

// One of config.fallbacks that cannot stand in.
struct LeftOutFallback {
  std::string service;  // slug of the one that named it
  ServiceId fallback;
  std::string_view why;  // static storage
  friend bool operator==(const LeftOutFallback&, const LeftOutFallback&) = default;
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
  const std::vector<LeftOutFallback>& left_out_fallbacks() const { return left_out_fallbacks_; }

 private:
  void find_fallbacks();

  std::vector<RoutedService> services_;
  std::unordered_map<std::string_view, std::size_t> by_slug_;  // views into services_; active ones only
  std::vector<LeftOutFallback> left_out_fallbacks_;
};

}  // namespace akr
