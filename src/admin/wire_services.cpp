#include <algorithm>

#include "admin/member_reader.hpp"
#include "admin/wire.hpp"
#include "base/strings.hpp"
#include "base/time_text.hpp"
#include "base/utf8.hpp"
#include "core/keys/selection/registry.hpp"
#include "core/outcome/failure_rules_json.hpp"
#include "llm/provider/registry.hpp"

namespace akr {
namespace {

// The original's column default.
std::string_view default_format() { return providers().front()->api_format; }
constexpr std::string_view kNoConversion = "none";
constexpr std::string_view kDefaultPolicy = "round_robin";

std::string_view type_name(ServiceType type) { return type == ServiceType::kLlm ? "LLM" : "GENERIC"; }
std::string_view location_name(KeyLocation location) { return location == KeyLocation::kQuery ? "query" : "header"; }

void read_type(MemberReader& in, ServiceType& type) {
  std::string name(type_name(type));
  in.text("config_type", name);
  if (iequals(name, "LLM")) {
    type = ServiceType::kLlm;
  } else if (iequals(name, "GENERIC")) {
    type = ServiceType::kGeneric;
  } else {
    in.refuse("config_type", "must be GENERIC or LLM");
  }
}

// One method, a comma list, or ANY.  `required`: the service has none yet.
void read_methods(MemberReader& in, std::vector<std::string>& methods, bool required) {
  std::string text;
  in.text("method", text, "");
  if (!in.has("method")) {
    if (required) in.refuse("method", "is required for a GENERIC service: one method, a comma list, or ANY");
    return;
  }
  methods.clear();
  if (iequals(trim(text), "ANY")) return;
  for (std::string_view part : split(text, ',')) {
    const std::string method = to_upper(trim(part));
    if (method.empty())
      return in.refuse("method", "is required for a GENERIC service: one method, a comma list, or ANY");
    if (method == "ANY") return in.refuse("method", "is either ANY or a list of methods");
    if (std::find(methods.begin(), methods.end(), method) == methods.end()) methods.push_back(method);
  }
}

// As the original did it: what its provider wants before a key, in whichever header, and nothing anywhere else.
std::string_view default_prefix(const Service& service, KeyLocation location) {
  const Provider* const provider = service.type == ServiceType::kLlm ? find_provider(service.api_format) : nullptr;
  return provider == nullptr || location != KeyLocation::kHeader ? "" : provider->credential.prefix;
}

void read_key_placement(MemberReader& in, Service& service) {
  const KeyPlacement before = service.key_placement.value_or(KeyPlacement{});
  std::string location(location_name(before.location)), name = before.name, prefix = before.prefix;
  in.text("api_key_location", location, "");
  in.text("api_key_name", name, "");
  KeyPlacement placement{KeyLocation::kHeader, name, ""};
  if (iequals(location, "query")) {
    placement.location = KeyLocation::kQuery;
  } else if (!location.empty() && !iequals(location, "header")) {
    in.refuse("api_key_location", "must be header or query");
  }
  const bool keep = service.key_placement && before.location == placement.location;
  if (!keep) prefix = default_prefix(service, placement.location);
  in.text("api_key_prefix", prefix, default_prefix(service, placement.location));
  placement.prefix = prefix;
  service.key_placement.reset();
  if (!name.empty()) service.key_placement = placement;
}

void read_egress_proxy(MemberReader& in, std::string& egress_proxy) {
  std::string given = egress_proxy;
  in.text("egress_proxy", given, "");
  // A client that sends back what it was shown has not changed it.
  if (given != mask_egress_proxy(egress_proxy)) egress_proxy = given;
}

void read_limits(MemberReader& in, Service& service, std::chrono::milliseconds rest_total) {
  const Timeouts times = default_timeouts(service.type, rest_total);
  in.millis("connect_timeout_ms", service.timeouts.connect, times.connect);
  in.millis("first_byte_timeout_ms", service.timeouts.first_byte, times.first_byte);
  in.millis("stream_idle_timeout_ms", service.timeouts.stream_idle, times.stream_idle);
  in.millis("total_timeout_ms", service.timeouts.total, times.total);
  const RetrySettings retry = default_retry(service.type);
  in.number("max_attempts", service.retry.max_attempts, retry.max_attempts);
  in.millis("retry_budget_ms", service.retry.budget, retry.budget);
  in.flag("retry_non_idempotent", service.retry.retry_non_idempotent, retry.retry_non_idempotent);
  in.text("selection_policy", service.selection_policy, kDefaultPolicy);
  if (find_selection_policy(service.selection_policy) == nullptr) {
    std::string known;
    for (const PolicyEntry& policy : selection_policies())
      known += (known.empty() ? "" : ", ") + std::string(policy.id);
    in.refuse("selection_policy",
              "must be one of " + known + ", not '" + std::string(cut_utf8(service.selection_policy, 40)) + "'");
  }
  in.flag("accept_body_key", service.accept_body_key, false);
  in.flag("stream_uploads", service.stream_uploads, false);
  in.flag("allow_set_cookie", service.allow_set_cookie, false);
}

// A list of rules, or the name of a built-in list; compiled once, so that what cannot be used is refused here.
void read_failure_rules_member(MemberReader& in, std::vector<FailureRule>& rules) {
  const boost::json::value* member = in.any("failure_rules");
  if (member == nullptr) return;
  if (member->is_null()) return rules.clear();
  if (member->is_string()) {
    const auto preset = preset_failure_rules(std::string_view(member->get_string()));
    if (preset.empty()) return in.refuse("failure_rules", "must be a list of rules or the name of a built-in list");
    rules.assign(preset.begin(), preset.end());
    return;
  }
  auto read = read_failure_rules(*member);
  if (!read) return in.refuse(read.error());
  // How large patterns may be is asked when the whole service is checked.
  std::vector<SkippedRule> too_large;
  if (const auto compiled = FailureRules::compile(*read, {}, &too_large); !compiled) return in.refuse(compiled.error());
  rules = *std::move(read);
}

void read_failure_policy(MemberReader& in, Service& service) {
  constexpr std::int64_t kLongestWait = 10'000;
  in.flag("auto_disable", service.auto_disable, true);
  in.whole("invalid_after", service.invalid_after, 1, 10, 2);
  in.flag("outage_guard", service.outage_guard, true);
  read_failure_rules_member(in, service.failure_rules);
  std::int64_t wait = service.wait_for_key.count();
  in.whole("wait_for_key_ms", wait, 0, kLongestWait, std::int64_t{0});
  service.wait_for_key = std::chrono::milliseconds(wait);
}

// `methods_known`: the service has a method from before.
void read_members(MemberReader& in, Service& service, bool methods_known, std::chrono::milliseconds rest_total) {
  const bool llm = service.type == ServiceType::kLlm;
  in.text("name", service.name);
  in.text("slug", service.slug);
  in.flag("is_active", service.active);
  read_upstream_members(in, service);
  in.text("api_format", service.api_format, default_format());
  in.text("output_format", service.output_format, kNoConversion);
  if (llm) {
    in.has("method");
    service.methods.clear();
  } else {
    read_methods(in, service.methods, !methods_known);
  }
  read_key_placement(in, service);
  read_egress_proxy(in, service.egress_proxy);
  read_limits(in, service, rest_total);
  read_failure_policy(in, service);
  // What write_service() adds and nobody sets: known, and without effect.
  for (const char* name :
       {"id", "api_keys", "key_counts", "upstream_states", "outage", "created_at", "updated_at", "etag"})
    in.has(name);
}

}  // namespace

Result<ServiceInput> read_new_service(const boost::json::object& object, std::chrono::milliseconds rest_total) {
  MemberReader in(object);
  for (const char* name : {"name", "slug", "config_type"}) {
    if (!in.has(name)) in.refuse(name, "is required");
  }
  ServiceInput input;
  Service& service = input.service;
  read_type(in, service.type);
  service.api_format = default_format();
  service.output_format = kNoConversion;
  service.timeouts = default_timeouts(service.type, rest_total);
  service.retry = default_retry(service.type);
  read_members(in, service, false, rest_total);
  if (auto read = in.result(); !read) return read.error();
  input.ignored = in.unknown();
  return input;
}

Result<ServiceInput> read_service_change(const boost::json::object& object, Service before,
                                         std::chrono::milliseconds rest_total) {
  MemberReader in(object);
  ServiceInput input{std::move(before), {}};
  const ServiceType type_before = input.service.type;
  read_type(in, input.service.type);
  const bool methods_known = type_before == ServiceType::kGeneric;
  read_members(in, input.service, methods_known, rest_total);
  if (auto read = in.result(); !read) return read.error();
  input.ignored = in.unknown();
  return input;
}

boost::json::object write_service(const Service& service, const std::optional<PoolCounts>& counts) {
  const bool llm = service.type == ServiceType::kLlm;
  boost::json::object out;
  out["id"] = service.id.value;
  out["name"] = service.name;
  out["slug"] = service.slug;
  out["config_type"] = type_name(service.type);
  if (service.key_placement) {
    out["api_key_location"] = location_name(service.key_placement->location);
    out["api_key_name"] = service.key_placement->name;
    out["api_key_prefix"] = service.key_placement->prefix;
  }
  out["is_active"] = service.active;
  out["api_keys"] = boost::json::array();  // as in the original never filled here: keys have their own endpoint
  if (!llm) {
    std::string methods;
    for (const std::string& method : service.methods) methods += (methods.empty() ? "" : ",") + method;
    out["method"] = methods.empty() ? "ANY" : methods;
  }
  write_upstream_members(service, out);
  if (!service.api_format.empty()) out["api_format"] = service.api_format;
  if (!service.output_format.empty()) out["output_format"] = service.output_format;
  out["connect_timeout_ms"] = service.timeouts.connect.count();
  out["first_byte_timeout_ms"] = service.timeouts.first_byte.count();
  out["stream_idle_timeout_ms"] = service.timeouts.stream_idle.count();
  out["total_timeout_ms"] = service.timeouts.total.count();
  out["max_attempts"] = service.retry.max_attempts;
  out["retry_budget_ms"] = service.retry.budget.count();
  out["retry_non_idempotent"] = service.retry.retry_non_idempotent;
  out["selection_policy"] = service.selection_policy;
  out["auto_disable"] = service.auto_disable;
  out["invalid_after"] = service.invalid_after;
  out["outage_guard"] = service.outage_guard;
  out["failure_rules"] = failure_rules_to_json(service.failure_rules);
  out["wait_for_key_ms"] = service.wait_for_key.count();
  out["accept_body_key"] = service.accept_body_key;
  out["stream_uploads"] = service.stream_uploads;
  out["allow_set_cookie"] = service.allow_set_cookie;
  out["egress_proxy"] = mask_egress_proxy(service.egress_proxy);
  if (counts) {
    out["key_counts"] = {{"total", counts->total},     {"active", counts->active},
                         {"cooling", counts->cooling}, {"exhausted", counts->exhausted},
                         {"invalid", counts->invalid}, {"disabled", counts->disabled},
                         {"limited", counts->limited}, {"in_flight", counts->in_flight}};
  }
  out["created_at"] = format_rfc3339(service.created_at);
  out["updated_at"] = format_rfc3339(service.updated_at);
  out["etag"] = service_etag(service);
  return out;
}

std::string service_etag(const Service& service) {
  return "\"" + std::to_string(service.id.value) + "-" + std::to_string(service.revision) + "\"";
}

std::string mask_egress_proxy(const std::string& url) {
  const auto scheme = url.find("://");
  const auto at = url.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos) return url;
  const auto colon = url.find(':', scheme + 3);
  if (colon == std::string::npos || colon > at) return url;
  return url.substr(0, colon + 1) + "****" + url.substr(at);
}

}  // namespace akr
