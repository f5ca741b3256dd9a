#include "upstream/routed_service.hpp"

#include "core/service/client_format.hpp"
#include "llm/provider/registry.hpp"

namespace akr {
namespace {

std::string allow_header(const Service& service) {
  std::string allow;
  for (const std::string& method : service.methods) allow += (allow.empty() ? "" : ", ") + method;
  return allow;
}

Result<std::shared_ptr<const net::EgressProxy>> compile_proxy(const Service& service) {
  if (service.egress_proxy.empty()) return std::shared_ptr<const net::EgressProxy>();
  auto proxy = net::parse_egress_proxy(service.egress_proxy);
  if (!proxy) return proxy.error();
  return std::make_shared<const net::EgressProxy>(*std::move(proxy));
}

Result<std::shared_ptr<const FailureRules>> compile_rules(const Service& service, RuleLimits limits,
                                                          std::vector<SkippedRule>& skipped) {
  if (service.failure_rules.empty()) return std::shared_ptr<const FailureRules>();
  auto rules = FailureRules::compile(service.failure_rules, limits, &skipped);
  if (!rules) return rules.error();
  return std::make_shared<const FailureRules>(*std::move(rules));
}

}  // namespace

JoinRule join_rule(const Provider* provider) {
  if (provider == nullptr) return kGenericJoin;
  return {.bare_is_base = false, .once = provider->versions, .withheld = provider->withheld_parameters};
}

void find_provider_of(RoutedService& service) {
  const bool llm = service.config.type == ServiceType::kLlm;
  service.provider = llm ? find_provider(service.config.api_format) : nullptr;
  service.join = join_rule(service.provider);
}

Result<RoutedService> compile_service(Service config, const ValidationPolicy& policy,
                                      std::vector<SkippedRule>& skipped) {
  if (auto valid = validate_service(config, policy); !valid) return valid.error();
  auto url = parse_upstream_url(config.target_url);
  if (!url) return url.error();
  auto proxy = compile_proxy(config);
  if (!proxy) return proxy.error();
  auto rules = compile_rules(config, policy.failure_rules, skipped);
  if (!rules) return rules.error();
  RoutedService compiled;
  compiled.url = *std::move(url);
  if (const PolicyEntry* const chosen = find_selection_policy(config.selection_policy)) compiled.policy = chosen;
  compiled.client_format = client_format(config, policy.formats);
  compiled.allow = allow_header(config);
  compiled.egress_proxy = *std::move(proxy);
  compiled.rules = *std::move(rules);
  compiled.config = std::move(config);
  find_provider_of(compiled);
  return compiled;
}

}  // namespace akr
