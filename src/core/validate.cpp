#include "core/validate.hpp"

#include <algorithm>
#include <chrono>

#include "base/strings.hpp"
#include "core/egress_proxy_url.hpp"
#include "core/host_policy.hpp"
#include "core/text_rules.hpp"
#include "core/url.hpp"

namespace akr {
namespace {

using std::chrono::milliseconds;

Error invalid(std::string_view field, std::string message) {
  return {.code = ErrorCode::kInvalid, .message = std::move(message), .field = std::string(field)};
}

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

// ---- the upstream URL

// Ports whose protocols can be talked into reading an HTTP request as commands (as browsers refuse them).
constexpr std::uint16_t kForeignPorts[] = {
    1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,   25,   37,   42,    43,
    53,   69,   77,   79,   87,   95,   101,  102,  103,  104,  109,  110,  111,  113,  115,   117,
    119,  123,  135,  137,  139,  143,  161,  179,  389,  427,  445,  465,  512,  513,  514,   515,
    526,  530,  531,  532,  540,  548,  554,  556,  563,  587,  601,  636,  989,  990,  993,   995,
    1719, 1720, 1723, 2049, 3306, 3659, 4045, 5060, 5061, 5432, 6000, 6379, 6566, 6697, 11211, 27017};

Result<void> check_url(const Service& service, const ValidationPolicy& policy) {
  const std::string_view field = service.type == ServiceType::kLlm ? "target_base_url" : "target_url";
  if (service.target_url.size() > 2048) return invalid(field, "a URL has at most 2048 characters");
  const auto url = parse_upstream_url(service.target_url);
  if (!url) return invalid(field, url.error().message);
  const auto kind = classify_host(url->origin.host);
  if (kind == AddressClass::kForbidden) {
    return invalid(field, "link-local, metadata, multicast and reserved addresses are never allowed");
  }
  if (!address_allowed(kind, policy.allow_private_upstreams)) {
    return invalid(field, "private and loopback addresses are not allowed while ALLOW_PRIVATE_UPSTREAMS is false");
  }
  if (std::find(std::begin(kForeignPorts), std::end(kForeignPorts), url->origin.port) != std::end(kForeignPorts)) {
    return invalid(field, "port " + std::to_string(url->origin.port) + " belongs to another protocol than HTTP");
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

struct ApiFormat {
  std::string_view name;           // stored as api_format
  std::string_view client_format;  // the same dialect as an output_format
};
constexpr ApiFormat kApiFormats[] = {
    {"openai_compatible", "openai"}, {"anthropic_native", "anthropic"}, {"gemini_native", "gemini"}};
constexpr std::string_view kOutputFormats[] = {"none", "openai", "openai_responses", "anthropic", "gemini"};

Result<void> check_llm_output(const Service& service, const ApiFormat& api) {
  const bool own = service.output_format.empty() || service.output_format == "none" ||
                   service.output_format == api.client_format || service.output_format == api.name;
  if (own) return {};
  return Error{.code = ErrorCode::kUnsupported,
               .message = "this build does not convert '" + service.output_format + "' to '" + std::string(api.name) +
                          "'; use \"none\", so that clients speak the upstream's own format",
               .field = "output_format"};
}

Result<void> check_formats(const Service& service) {
  const auto& output = service.output_format;
  const auto* api = std::find_if(std::begin(kApiFormats), std::end(kApiFormats),
                                 [&](const ApiFormat& format) { return format.name == service.api_format; });
  const bool known_api = api != std::end(kApiFormats);
  if (service.type == ServiceType::kGeneric) {
    // Rows of the original carry LLM defaults here; they mean nothing and are kept as they are.
    if (!service.api_format.empty() && !known_api) return invalid("api_format", "unknown API format");
  } else if (!known_api) {
    return invalid("api_format", "the API format must be openai_compatible, anthropic_native or gemini_native");
  }
  const bool known_output =
      output.empty() || (known_api && output == api->name) ||
      std::find(std::begin(kOutputFormats), std::end(kOutputFormats), output) != std::end(kOutputFormats);
  if (!known_output) {
    return invalid("output_format", "the client format must be none, openai, openai_responses, anthropic or gemini");
  }
  return service.type == ServiceType::kLlm ? check_llm_output(service, *api) : Result<void>();
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

Result<void> validate_service(const Service& service, const ValidationPolicy& policy) {
  if (auto r = check_name(service); !r) return r;
  if (auto r = check_slug(service); !r) return r;
  if (auto r = check_url(service, policy); !r) return r;
  if (auto r = check_methods(service); !r) return r;
  if (auto r = check_formats(service); !r) return r;
  if (auto r = check_key_placement(service); !r) return r;
  if (auto r = check_egress_proxy_url(service.egress_proxy); !r) return r;
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
