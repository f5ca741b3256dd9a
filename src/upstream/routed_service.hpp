// routed_service.hpp - a service, ready to be called: everything that a call to it needs, compiled once when it is
// published.  Pointers, not names; immutable after that, but for what its pool and its URLs remember.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/keys/key_pool.hpp"
#include "core/keys/selection/registry.hpp"
#include "core/outcome/failure_rules.hpp"
#include "core/service/service.hpp"
#include "core/service/upstream_set.hpp"
#include "core/service/url.hpp"
#include "core/service/validate.hpp"
#include "llm/provider.hpp"
#include "net/client/connector.hpp"

namespace akr {

struct RoutedService {
  Service config;
  UpstreamUrl url;                         // of config.target_url
  std::shared_ptr<UpstreamSet> upstreams;  // of config.upstreams; nullptr: `url` is the only one
  JoinRule join = kGenericJoin;
  const Provider* provider = nullptr;                         // of config.api_format; static.  nullptr: GENERIC
  const PolicyEntry* policy = &selection_policies().front();  // of config.selection_policy; static
  std::string_view client_format = {};                        // what its clients speak (client_format.hpp); static
  std::string allow;                                          // config.methods joined by ", "; "" = any
  std::shared_ptr<const net::EgressProxy> egress_proxy = {};  // of config.egress_proxy; nullptr: none of its own
  std::shared_ptr<const FailureRules> rules;                  // nullptr = none
  std::shared_ptr<KeyPool> keys;                              // the publisher's, who keeps it over publications
  std::vector<const RoutedService*> fallbacks = {};           // found by RoutingTable; as long as the table
};

// How client paths and the service's URLs are put together.
JoinRule join_rule(const Provider* provider);

// Sets `provider` and `join` from the configuration.
void find_provider_of(RoutedService& service);

// Everything but `keys`, `upstreams` and `fallbacks`.  The same errors as validate_service(config, policy), which rows
// of the original, or of a time with other rules, may not pass.  Rules that became too large are left out and told in
// `skipped`.
Result<RoutedService> compile_service(Service config, const ValidationPolicy& policy,
                                      std::vector<SkippedRule>& skipped);

}  // namespace akr
