#include "core/service/service_parts.hpp"

#include <algorithm>
#include <array>

#include "base/member_reader.hpp"
#include "base/strings.hpp"
#include "core/outcome/failure_rules_json.hpp"
#include "core/service/affinity_rules_json.hpp"
#include "core/service/cors_origins.hpp"
#include "core/service/upstreams_json.hpp"

namespace akr::parts {
namespace {

constexpr std::string_view kNoMethod = "is required for a GENERIC service: one method, a comma list, or ANY";

// By KeyLocation.
constexpr std::array<std::string_view, 3> kLocations = {"header", "query", "path"};

KeyPlacement& placement_of(Service& service) {
  if (!service.key_placement) service.key_placement = KeyPlacement{.prefix = default_key_prefix(service)};
  return *service.key_placement;
}

bool is_llm(const Service& service) { return service.type == ServiceType::kLlm; }

template <class Item>
Result<void> take(Result<std::vector<Item>> items, std::vector<Item>& list) {
  if (!items) return items.error();
  list = *std::move(items);
  return {};
}

}  // namespace

// ---- type

MaybeText write_type(const Service& service) { return is_llm(service) ? "LLM" : "GENERIC"; }

Result<void> read_type(std::string_view text, Service& service) {
  service.type = iequals(text, "LLM") ? ServiceType::kLlm : ServiceType::kGeneric;
  if (is_llm(service) || iequals(text, "GENERIC")) return {};
  return wrong_json("config_type", "must be GENERIC or LLM");
}

// ---- methods

Error method_missing() { return wrong_json("method", kNoMethod); }

MaybeText write_methods(const Service& service) {
  if (is_llm(service)) return std::nullopt;
  std::string text;
  for (const std::string& method : service.methods) text += (text.empty() ? "" : ",") + method;
  return text.empty() ? "ANY" : text;
}

Result<void> read_methods(std::string_view text, Service& service) {
  service.methods.clear();
  if (is_llm(service) || iequals(trim(text), "ANY")) return {};
  Result<void> read;
  for (std::string_view part : split(text, ',')) {
    const std::string method = to_upper(trim(part));
    if (method.empty()) {
      read = method_missing();
    } else if (method == "ANY") {
      read = wrong_json("method", "is either ANY or a list of methods");
    } else if (std::find(service.methods.begin(), service.methods.end(), method) == service.methods.end()) {
      service.methods.push_back(method);
    }
  }
  return read;
}

// ---- where things are made

MaybeText write_pinning(const Service& service) { return service.pinning == Pinning::kHome ? "home" : "spread"; }

Result<void> read_pinning(std::string_view text, Service& service) {
  service.pinning = text == "spread" ? Pinning::kSpread : Pinning::kHome;
  if (text.empty() || text == "home" || text == "spread") return {};
  return wrong_json("pinning", "must be home or spread");
}

// ---- where the key goes

// The original put "Bearer " before a key in any header of an OpenAI service, and nothing anywhere else.
std::string default_key_prefix(const Service& service) {
  const bool bearer = is_llm(service) && service.api_format == kDefaultApiFormat &&
                      (!service.key_placement || service.key_placement->location == KeyLocation::kHeader);
  return bearer ? "Bearer " : "";
}

MaybeText write_key_location(const Service& service) {
  if (!service.key_placement) return std::nullopt;
  return std::string(kLocations.at(static_cast<std::size_t>(service.key_placement->location)));
}

Result<void> read_key_location(std::string_view text, Service& service) {
  KeyPlacement& placement = placement_of(service);
  const auto known = std::find_if(kLocations.begin(), kLocations.end(), [&](auto name) { return iequals(text, name); });
  const auto location =
      known == kLocations.end() ? KeyLocation::kHeader : static_cast<KeyLocation>(known - kLocations.begin());
  if (placement.location != location) {
    placement.location = location;
    placement.prefix = default_key_prefix(service);
  }
  if (known != kLocations.end() || text.empty()) return {};
  return wrong_json("api_key_location", "must be header, query or path");
}

MaybeText write_key_name(const Service& service) {
  if (!service.key_placement) return std::nullopt;
  return service.key_placement->name;
}

Result<void> read_key_name(std::string_view text, Service& service) {
  placement_of(service).name = text;
  return {};
}

MaybeText write_key_prefix(const Service& service) {
  if (!service.key_placement) return std::nullopt;
  return service.key_placement->prefix;
}

Result<void> read_key_prefix(std::string_view text, Service& service) {
  placement_of(service).prefix = text;
  return {};
}

void drop_nameless_placement(Service& service) {
  const auto& placement = service.key_placement;
  if (placement && placement->name.empty() && placement->location != KeyLocation::kPath) service.key_placement.reset();
}

// ---- the URL

MaybeText write_target_url(const Service& service) {
  if (is_llm(service)) return std::nullopt;
  return service.target_url;
}

Result<void> read_target_url(std::string_view text, Service& service) {
  if (!is_llm(service)) service.target_url = text;
  return {};
}

MaybeText write_target_base_url(const Service& service) {
  if (!is_llm(service)) return std::nullopt;
  return service.target_url;
}

Result<void> read_target_base_url(std::string_view text, Service& service) {
  if (is_llm(service)) service.target_url = text;
  return {};
}

// ---- lists

boost::json::array write_upstreams(const Service& service) { return upstreams_to_json(service.upstreams); }
boost::json::array write_fallbacks(const Service& service) { return fallbacks_to_json(service.fallbacks); }
boost::json::array write_affinity_rules(const Service& service) {
  return affinity_rules_to_json(service.affinity_rules);
}
boost::json::array write_cors_origins(const Service& service) { return cors_origins_to_json(service.cors_origins); }
boost::json::array write_failure_rules(const Service& service) { return failure_rules_to_json(service.failure_rules); }

Result<void> read_upstreams(const boost::json::value& value, Service& service) {
  return take(akr::read_upstreams(value), service.upstreams);
}

Result<void> read_fallbacks(const boost::json::value& value, Service& service) {
  return take(akr::read_fallbacks(value), service.fallbacks);
}

Result<void> read_affinity_rules(const boost::json::value& value, Service& service) {
  return take(akr::read_affinity_rules(value), service.affinity_rules);
}

Result<void> read_cors_origins(const boost::json::value& value, Service& service) {
  return take(akr::read_cors_origins(value), service.cors_origins);
}

Result<void> read_failure_rules(const boost::json::value& value, Service& service) {
  if (!value.is_string()) return take(akr::read_failure_rules(value), service.failure_rules);
  const auto preset = preset_failure_rules(std::string_view(value.get_string()));
  if (preset.empty()) return wrong_json("failure_rules", "must be a list of rules or the name of a built-in list");
  service.failure_rules.assign(preset.begin(), preset.end());
  return {};
}

}  // namespace akr::parts
