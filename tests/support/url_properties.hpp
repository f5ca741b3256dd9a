// url_properties.hpp - what must hold for any text that somebody gives us as a URL; for the property test and the fuzz
// target.  Each returns what is broken, "" if nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/proxy_url.hpp"
#include "base/strict_url.hpp"
#include "base/strings.hpp"
#include "core/service/egress_proxy_url.hpp"
#include "core/service/url.hpp"
#include "tests/support/rfc3986.hpp"

namespace akr::test {

inline std::optional<std::string_view> part_if(bool has, std::string_view part) {
  return has ? std::optional(part) : std::nullopt;
}

inline std::string unbracketed_lower(std::string_view host) {
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return to_lower(host);
}

// Do both readings name the same host?
inline std::string broken_parts(std::string_view text) {
  const auto ours = parse_strict_url(text);
  if (!ours) return "";
  const auto theirs = read_rfc3986(text);
  if (!theirs) return "accepted, though it is no URL";
  const bool same = ours->scheme == theirs->scheme && ours->host == theirs->host && ours->path == theirs->path &&
                    part_if(ours->has_userinfo, ours->userinfo) == theirs->userinfo &&
                    part_if(ours->has_port, ours->port) == theirs->port &&
                    part_if(ours->has_query, ours->query) == theirs->query &&
                    part_if(ours->has_fragment, ours->fragment) == theirs->fragment;
  return same ? "" : "read differently; host '" + std::string(ours->host) + "'";
}

// `text` with `from`, where it stands for the first time, replaced by `to`.
inline std::string first_replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string replaced(text);
  if (const auto at = replaced.find(from); at != std::string::npos) replaced.replace(at, from.size(), to);
  return replaced;
}

// Where would a key go?  The place of a key in the path is no character of RFC 3986: it is read as a word would be.
inline std::string broken_upstream(std::string_view text) {
  auto ours = parse_upstream_url(text);
  if (!ours) return ours.error().field == "target_url" ? "" : "an error without its field";
  constexpr std::string_view kWord = "-word-";
  const std::string readable = first_replaced(text, kKeyMark, kWord);
  ours->base_path = first_replaced(ours->base_path, kKeyMark, kWord);
  const auto theirs = read_rfc3986(readable);
  if (!theirs) return "accepted as an upstream, though it is no URL";
  const std::uint64_t standard = iequals(theirs->scheme, "https") ? 443 : 80;
  if (theirs->userinfo || theirs->fragment) return "user or fragment accepted";
  if (ours->origin.host != unbracketed_lower(theirs->host)) return "another host: " + ours->origin.host;
  if (ours->origin.port != (theirs->port ? parse_u64(*theirs->port) : standard)) return "another port";
  if (!ours->base_path.empty() && !ours->base_path.starts_with('/')) return "a path without '/': " + ours->base_path;
  return theirs->path.starts_with(ours->base_path) && ours->query == theirs->query.value_or("") ? "" : "another path";
}

inline std::string broken_proxy(std::string_view text) {
  const auto ours = parse_proxy_url(text);
  if (!ours || ours->kind == ProxyUrl::Kind::kNone) {
    return check_egress_proxy_url(text, {}) && !text.empty() ? "saved, but not usable" : "";
  }
  const auto theirs = read_rfc3986(text);
  if (!theirs || !theirs->port) return "accepted as a proxy, though it is no URL with a port";
  if (!check_egress_proxy_url(text, {})) return "";
  if (ours->host != unbracketed_lower(theirs->host)) return "another proxy: " + ours->host;
  return ours->port == parse_u64(*theirs->port) ? "" : "another port of the proxy";
}

inline std::string broken_url_property(std::string_view text) {
  for (const auto property : {broken_parts, broken_upstream, broken_proxy}) {
    if (std::string broken = property(text); !broken.empty()) return broken;
  }
  return "";
}

}  // namespace akr::test
