#include <algorithm>

#include "base/member_reader.hpp"
#include "core/service/host_policy.hpp"
#include "core/service/url.hpp"
#include "core/service/validate_parts.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostUpstreams = 32;
constexpr std::uint32_t kMostWeight = 1'000'000;
constexpr std::size_t kMostFallbacks = 8;

// Ports whose protocols can be talked into reading an HTTP request as commands (as browsers refuse them).  Not 9,
// discard, which reads nothing as anything.
constexpr std::uint16_t kForeignPorts[] = {
    1,   7,   11,  13,   15,   17,   19,   20,   21,   22,   23,   25,   37,   42,   43,   53,   69,   77,    79,   87,
    95,  101, 102, 103,  104,  109,  110,  111,  113,  115,  117,  119,  123,  135,  137,  139,  143,  161,   179,  389,
    427, 445, 465, 512,  513,  514,  515,  526,  530,  531,  532,  540,  548,  554,  556,  563,  587,  601,   636,  989,
    990, 993, 995, 1719, 1720, 1723, 2049, 3306, 3659, 4045, 5060, 5061, 5432, 6000, 6379, 6566, 6697, 11211, 27017};

// Does the URL say where the key goes exactly if it goes into the path?
Result<void> check_key_mark(std::string_view field, const UpstreamUrl& url, const Service& service) {
  const bool wanted = service.key_placement && service.key_placement->location == KeyLocation::kPath;
  const bool there = url.key_at != std::string::npos;
  if (wanted == there || (wanted && service.type == ServiceType::kLlm)) return {};
  if (wanted) {
    return invalid(field,
                   "api_key_location is \"path\": write {key} into the URL's path where the key goes, like "
                   "https://host/v3/{key}");
  }
  if (service.type == ServiceType::kLlm) return invalid(field, "only a GENERIC service can carry its key in the path");
  return invalid(field, "{key} in the URL needs api_key_location \"path\"");
}

Result<void> check_url(std::string_view field, const std::string& text, const Service& service,
                       const ValidationPolicy& policy) {
  if (text.size() > 2048) return invalid(field, "a URL has at most 2048 characters");
  const auto url = parse_upstream_url(text);
  if (!url) return invalid(field, url.error().message);
  if (auto r = check_key_mark(field, *url, service); !r) return r;
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

}  // namespace

Result<void> check_upstreams(const Service& service, const ValidationPolicy& policy) {
  const std::string_view field = service.type == ServiceType::kLlm ? "target_base_url" : "target_url";
  const auto& upstreams = service.upstreams;
  if (upstreams.empty()) return check_url(field, service.target_url, service, policy);
  if (upstreams.size() > kMostUpstreams) return invalid("upstreams", "a service has at most 32 URLs");
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    const std::string place = list_place("upstreams", i);
    if (auto r = check_url(place + ".url", upstreams[i].url, service, policy); !r) return r;
    if (upstreams[i].weight > kMostWeight) return invalid(place + ".weight", "a weight is at most 1000000");
  }
  if (std::all_of(upstreams.begin(), upstreams.end(), [](const Upstream& each) { return each.weight == 0; })) {
    return invalid("upstreams", "at least one URL needs a weight above 0: none could be chosen");
  }
  if (service.target_url != upstreams.front().url) {
    return invalid(field, std::string(field) + " is the first URL of upstreams");
  }
  return {};
}

Result<void> check_fallbacks(const Service& service, const ValidationPolicy&) {
  const auto& fallbacks = service.fallbacks;
  if (fallbacks.size() > kMostFallbacks) return invalid("fallbacks", "a service has at most 8 fallbacks");
  for (std::size_t i = 0; i < fallbacks.size(); ++i) {
    const std::string place = list_place("fallbacks", i);
    if (fallbacks[i] == service.id) return invalid(place, "a service cannot be its own fallback");
    const auto end = fallbacks.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(fallbacks.begin(), end, fallbacks[i]) != end) {
      return invalid(place, "service " + std::to_string(fallbacks[i].value) + " is listed twice");
    }
  }
  return {};
}

}  // namespace akr
