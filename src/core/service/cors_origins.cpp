#include "core/service/cors_origins.hpp"

#include <algorithm>

#include "base/member_reader.hpp"
#include "base/strict_url.hpp"
#include "base/strings.hpp"
#include "base/utf8.hpp"
#include "core/service/validate_parts.hpp"

namespace akr {
namespace {

constexpr std::string_view kField = "cors_origins";
constexpr std::size_t kMostOrigins = 100;
constexpr std::size_t kLongest = 255;

std::string quoted(std::string_view origin) { return "'" + std::string(cut_utf8(origin, 100)) + "'"; }

bool is_default_port(std::string_view scheme, std::string_view port) {
  return (scheme == "https" && port == "443") || (scheme == "http" && port == "80");
}

// As a browser writes it: in lower case, nothing behind the host, and no port that the scheme implies.
std::string as_written_by_browsers(const StrictUrl& url) {
  const std::string scheme = to_lower(url.scheme);
  std::string origin = scheme + "://" + to_lower(url.host);
  if (!url.port.empty() && !is_default_port(scheme, url.port)) origin.append(":").append(url.port);
  return origin;
}

Result<void> check_origin(const std::string& place, std::string_view origin) {
  if (origin == "null") {
    return invalid(place, "'null' is the origin of every sandboxed page and local file: use \"*\" to allow all");
  }
  const auto url = origin.size() > kLongest ? Result<StrictUrl>(Error{}) : parse_strict_url(origin);
  if (!url || url->has_userinfo) {
    return invalid(place,
                   (url ? "this" : quoted(origin)) +
                       " is no origin: write scheme://host[:port], as in https://app.example or app://obsidian.md");
  }
  if (url->host.find('*') != std::string_view::npos) {
    return invalid(place, quoted(origin) + " is no origin: list each host, or use \"*\" alone to allow all");
  }
  const std::string written = as_written_by_browsers(*url);
  if (origin == written) return {};
  return invalid(place, quoted(origin) + " is not how browsers write an origin: use '" + written + "'");
}

}  // namespace

Result<std::vector<std::string>> read_cors_origins(const boost::json::value& value) {
  std::vector<std::string> origins;
  if (value.is_string() && value.get_string() == "*") return std::vector<std::string>{"*"};
  if (!value.is_array()) return wrong_json(std::string(kField), "must be a list of origins, or \"*\"");
  for (const boost::json::value& each : value.get_array()) {
    if (!each.is_string())
      return wrong_json(list_place(kField, origins.size()), "must be a text like https://app.example");
    origins.emplace_back(each.get_string());
  }
  return origins;
}

boost::json::array cors_origins_to_json(std::span<const std::string> origins) {
  boost::json::array list;
  for (const std::string& origin : origins) list.emplace_back(origin);
  return list;
}

bool allows_origin(std::span<const std::string> origins, std::string_view origin) {
  return allows_every_origin(origins) || std::find(origins.begin(), origins.end(), origin) != origins.end();
}

Result<void> check_cors_origins(const Service& service, const ValidationPolicy&) {
  const auto& origins = service.cors_origins;
  if (allows_every_origin(origins)) return {};
  if (origins.size() > kMostOrigins)
    return invalid(kField, "a service has at most 100 origins; use \"*\" to allow all");
  for (auto it = origins.begin(); it != origins.end(); ++it) {
    const std::string place = list_place(kField, static_cast<std::size_t>(it - origins.begin()));
    if (*it == "*") return invalid(place, "'*' allows every origin: leave the others out, or '*'");
    if (auto r = check_origin(place, *it); !r) return r;
    if (std::find(origins.begin(), it, *it) != it) return invalid(place, quoted(*it) + " is listed twice");
  }
  return {};
}

}  // namespace akr
