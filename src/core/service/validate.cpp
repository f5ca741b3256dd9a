#include "core/service/validate.hpp"

#include <algorithm>
#include <chrono>

#include "base/strings.hpp"
#include "core/service/egress_proxy_url.hpp"
#include "core/service/text_rules.hpp"
#include "core/service/validate_parts.hpp"

namespace akr {
namespace {

using std::chrono::milliseconds;

// ---- names

Result<void> check_name(const Service& service) {
  const auto length = utf8_length(service.name);
  if (!length || *length < 1 || *length > 100 || has_control(service.name) || trim(service.name).empty()) {
    return invalid("name", "a name has 1 to 100 characters and no control characters");
  }
  return {};
}

Result<void> check_slug(const Service& service) {
  if (!is_slug(service.slug)) {
    return invalid("slug", "a slug has 1 to 100 letters, digits, '.', '_' or '-', and is not '.' or '..'");
  }
  return {};
}

// ---- methods

Result<void> check_methods(const Service& service) {
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

constexpr std::string_view kNoConversion = "none";

void list_name(std::string& list, std::string_view name) { list.append(list.empty() ? "" : ", ").append(name); }

std::string api_formats(const KnownFormats& known) {
  std::string list;
  for (const KnownFormats::Upstream& upstream : known.upstreams) list_name(list, upstream.api_format);
  return list;
}

std::string output_formats(const KnownFormats& known) {
  std::string list(kNoConversion);
  for (const std::string_view client : known.clients) list_name(list, client);
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

Result<void> check_formats(const Service& service, const KnownFormats& known) {
  const auto& output = service.output_format;
  const std::string_view own_output = dialect_of(service.api_format, known);
  const bool known_api = !own_output.empty();
  if (service.type == ServiceType::kGeneric) {
    // Rows of the original carry LLM defaults here; they mean nothing and are kept as they are.
    if (!service.api_format.empty() && !known_api) return invalid("api_format", "unknown API format");
  } else if (!known_api) {
    return invalid("api_format", "the API format must be one of " + api_formats(known));
  }
  const bool known_output = output.empty() || output == kNoConversion || (known_api && output == service.api_format) ||
                            std::find(known.clients.begin(), known.clients.end(), output) != known.clients.end();
  if (!known_output) return invalid("output_format", "the client format must be one of " + output_formats(known));
  return service.type == ServiceType::kLlm ? check_llm_output(service, own_output) : Result<void>();
}

// ---- where the upstream key goes

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

Result<void> check_key_placement(const Service& service) {
  if (!service.key_placement) return {};
  const auto& [location, name, prefix] = *service.key_placement;
  const std::string_view kField = "api_key_name";
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

// ---- numbers

Result<void> check_range(std::string_view field, milliseconds value, milliseconds low, milliseconds high) {
  if (value >= low && value <= high) return {};
  return invalid(
      field, "must be from " + std::to_string(low.count()) + " to " + std::to_string(high.count()) + " milliseconds");
}

Result<void> check_numbers(const Service& service) {
  using std::chrono::hours;
  using std::chrono::minutes;
  const auto& timeouts = service.timeouts;
  const milliseconds zero(0);
  const milliseconds one(1);
  if (auto r = check_range("connect_timeout_ms", timeouts.connect, one, minutes(5)); !r) return r;
  if (auto r = check_range("first_byte_timeout_ms", timeouts.first_byte, one, hours(1)); !r) return r;
  if (auto r = check_range("stream_idle_timeout_ms", timeouts.stream_idle, one, hours(24)); !r) return r;
  if (auto r = check_range("total_timeout_ms", timeouts.total, zero, hours(24)); !r) return r;
  if (auto r = check_range("retry_budget_ms", service.retry.budget, zero, hours(1)); !r) return r;
  if (service.retry.max_attempts < 1 || service.retry.max_attempts > 10) {
    return invalid("max_attempts", "must be from 1 to 10");
  }
  return {};
}

}  // namespace

Error invalid(std::string_view field, std::string message) {
  return {.code = ErrorCode::kInvalid, .message = std::move(message), .field = std::string(field)};
}

Result<void> validate_service(const Service& service, const ValidationPolicy& policy) {
  if (auto r = check_name(service); !r) return r;
  if (auto r = check_slug(service); !r) return r;
  if (auto r = check_upstreams(service, policy); !r) return r;
  if (auto r = check_fallbacks(service); !r) return r;
  if (auto r = check_methods(service); !r) return r;
  if (auto r = check_formats(service, policy.formats); !r) return r;
  if (auto r = check_key_placement(service); !r) return r;
  if (auto r = check_egress_proxy_url(service.egress_proxy, policy); !r) return r;
  if (auto r = check_affinity_rules(service); !r) return r;
  if (auto r = check_validation_path(service); !r) return r;
  return check_numbers(service);
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
