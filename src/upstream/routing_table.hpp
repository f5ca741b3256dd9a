// routing_table.hpp - all services by slug; immutable, replaced whole (architecture 7).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "upstream/routed_service.hpp"

namespace akr {

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
