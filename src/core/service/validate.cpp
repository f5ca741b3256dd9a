#include "core/service/validate.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "base/utf8.hpp"
#include "core/keys/selection/registry.hpp"
#include "core/service/client_format.hpp"
#include "core/service/egress_proxy_url.hpp"
#include "core/service/field_bounds.hpp"
#include "core/service/text_rules.hpp"
#include "core/service/validate_parts.hpp"

namespace akr {

Error invalid(std::string_view field, std::string message) {
  return {.code = ErrorCode::kInvalid, .message = std::move(message), .field = std::string(field)};
}

// ---- names

Result<void> check_name(const Service& service, const ValidationPolicy&) {
  if (trim(service.name).empty()) return invalid("name", "name needs a character that is not a space");
  return {};
}

Result<void> check_slug(const Service& service, const ValidationPolicy&) {
  if (!is_slug(service.slug)) {
    return invalid("slug", "a slug has 1 to 100 letters, digits, '.', '_' or '-', and is not '.' or '..'");
  }
  return {};
}

// ---- methods

Result<void> check_methods(const Service& service, const ValidationPolicy&) {
  if (service.type == ServiceType::kLlm && !service.methods.empty()) {
    return invalid("method", "only a GENERIC service can be limited to methods");
  }
  for (auto it = service.methods.begin(); it != service.methods.end(); ++it) {
    if (!is_token(*it) || it->size() > 32 || to_upper(*it) != *it) {
      return invalid("method", "a method is a word of upper-case letters, like GET");
    }
    if (*it == "TRACE" || *it == "CONNECT") return invalid("method", *it + " is never proxied");
    if (std::find(service.methods.begin(), it, *it) != it) return invalid("method", *it + " is listed twice");
  }
  return {};
}

// ---- formats

namespace {

constexpr std::string_view kNoConversion = "none";

std::string list_of(const std::vector<std::string_view>& names) {
  std::string list;
  for (const std::string_view name : names) list.append(list.empty() ? "" : ", ").append(name);
  return list;
}

Result<void> check_llm_output(const Service& service, std::string_view own_output) {
  const bool own = service.output_format.empty() || service.output_format == kNoConversion ||
                   service.output_format == service.api_format || service.output_format == own_output;
  if (own) return {};
  return Error{.code = ErrorCode::kUnsupported,
               .message = "this build does not convert '" + service.output_format + "' to '" + service.api_format +
                          "'; use \"none\", so that clients speak the upstream's own format",
               .field = "output_format"};
}

}  // namespace

Result<void> check_api_format(const Service& service, const ValidationPolicy& policy) {
  if (!dialect_of(service.api_format, policy.formats).empty()) return {};
  if (service.type == ServiceType::kLlm) {
    return invalid("api_format", "the API format must be one of " + list_of(api_format_names(policy.formats)));
  }
  // Rows of the original carry LLM defaults here; they mean nothing and are kept as they are.
  if (service.api_format.empty()) return {};
  return invalid("api_format", "unknown API format");
}

Result<void> check_output_format(const Service& service, const ValidationPolicy& policy) {
  const auto& output = service.output_format;
  const std::string_view own = dialect_of(service.api_format, policy.formats);
  const auto known = output_format_names(policy.formats);
  const bool known_output = output.empty() || (!own.empty() && output == service.api_format) ||
                            std::find(known.begin(), known.end(), output) != known.end();
  if (!known_output) return invalid("output_format", "the client format must be one of " + list_of(known));
  return service.type == ServiceType::kLlm ? check_llm_output(service, own) : Result<void>();
}

// ---- where the upstream key goes

namespace {

// Framing, hop-by-hop and our own: a key there would change how the message is read, or never arrive.
constexpr std::string_view kReservedHeaders[] = {"host",
                                                 "content-length",
                                                 "transfer-encoding",
                                                 "connection",
                                                 "keep-alive",
                                                 "te",
                                                 "trailer",
                                                 "trailers",
                                                 "upgrade",
                                                 "expect",
                                                 "via",
                                                 "proxy-connection",
                                                 "x-proxy-key",
                                                 "proxy-authenticate",
                                                 "proxy-authorization",
                                                 "content-type",
                                                 "content-encoding",
                                                 "accept-encoding",
                                                 "date",
                                                 "forwarded",
                                                 "x-forwarded-for",
                                                 "x-forwarded-host",
                                                 "x-forwarded-proto",
                                                 "x-real-ip"};

// The name says nothing there, and is kept for the day when the key moves again.
Result<void> check_key_in_path(const Service& service) {
  if (service.type == ServiceType::kLlm) {
    return invalid("api_key_location", "only a GENERIC service can carry its key in the path");
  }
  const auto& [location, name, prefix] = *service.key_placement;
  if (name.size() > 100 || !is_printable_ascii(name)) {
    return invalid("api_key_name", "a name has at most 100 printable ASCII characters");
  }
  if (prefix.empty()) return {};
  return invalid("api_key_prefix", "what stands before a key in the path is written into the URL, before {key}");
}

}  // namespace

Result<void> check_key_placement(const Service& service, const ValidationPolicy&) {
  if (!service.key_placement) return {};
  const auto& [location, name, prefix] = *service.key_placement;
  constexpr std::string_view kField = "api_key_name";
  if (location == KeyLocation::kPath) return check_key_in_path(service);
  if (name.empty() || name.size() > 100) return invalid(kField, "a name has 1 to 100 characters");
  if (location == KeyLocation::kQuery) {
    if (!is_query_name(name)) return invalid(kField, "a parameter name has letters, digits and -._~[]$!*'()@:/ only");
    return {};
  }
  if (!is_token(name)) return invalid(kField, "a header name has letters, digits and !#$%&'*+-.^_`|~ only");
  const std::string lower = to_lower(name);
  if (std::find(std::begin(kReservedHeaders), std::end(kReservedHeaders), lower) != std::end(kReservedHeaders)) {
    return invalid(kField, "the header '" + name + "' cannot carry a key");
  }
  if (prefix.size() > 100 || !is_printable_ascii(prefix)) {
    return invalid("api_key_prefix", "a prefix has at most 100 printable ASCII characters");
  }
  return {};
}

// ---- the rest

Result<void> check_selection_policy(const Service& service, const ValidationPolicy&) {
  if (find_selection_policy(service.selection_policy) != nullptr) return {};
  std::string known;
  for (const PolicyEntry& policy : selection_policies()) known += (known.empty() ? "" : ", ") + std::string(policy.id);
  return invalid("selection_policy", "selection_policy must be one of " + known + ", not '" +
                                         std::string(cut_utf8(service.selection_policy, 40)) + "'");
}

Result<void> check_egress_proxy(const Service& service, const ValidationPolicy& policy) {
  return check_egress_proxy_url(service.egress_proxy, policy);
}

// How large patterns may be is asked by whoever stores new ones: lists from before a limit go on, without what is too
// large.
Result<void> check_failure_rules(const Service& service, const ValidationPolicy&) {
  if (service.failure_rules.empty()) return {};
  std::vector<SkippedRule> too_large;
  if (auto rules = FailureRules::compile(service.failure_rules, {}, &too_large); !rules) return rules.error();
  return {};
}

// ---- the gate

namespace {

template <class Owner>
Result<void> validate_fields(std::span<const Field<Owner>> fields, const Owner& object,
                             const ValidationPolicy& policy) {
  for (const Field<Owner>& field : fields) {
    if (auto r = check_bounds(field, object); !r) return r;
    if (field.check == nullptr) continue;
    if (auto r = field.check(object, policy); !r) return r;
  }
  return {};
}

}  // namespace

Result<void> validate_service(const Service& service, const ValidationPolicy& policy) {
  return validate_fields(service_fields(), service, policy);
}

Result<void> validate_key_fields(const UpstreamKey& key) { return validate_fields(key_fields<UpstreamKey>(), key, {}); }

Result<void> validate_key(const NewKey& key) {
  if (auto r = validate_key(key.secret); !r) return r;
  return validate_fields(key_fields<NewKey>(), key, {});
}

Result<void> validate_key(const Secret& key) {
  constexpr std::string_view kField = "key_value";
  const std::string_view text = key.expose();
  if (text.empty() || text.size() > 8192) return invalid(kField, "a key has 1 to 8192 characters");
  const auto* bad = std::find_if(text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; });
  if (bad != text.end()) {
    return invalid(kField, "character " + std::to_string(bad - text.begin() + 1) + " is not printable ASCII");
  }
  if (text.front() == ' ' || text.back() == ' ') return invalid(kField, "a key must not begin or end with a space");
  if (looks_like_list_of_keys(text)) return invalid(kField, "this looks like several keys; add them one by one");
  return {};
}

}  // namespace akr
