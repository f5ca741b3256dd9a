#include <algorithm>
#include <initializer_list>

#include "base/strings.hpp"
#include "net/client/connector.hpp"
#include "net/loop/socket_address.hpp"

namespace akr::net {
namespace {

using Getenv = std::function<const char*(const char*)>;

// The first that is set and not empty.
std::string_view first_of(const Getenv& getenv, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = getenv(name);
    if (value != nullptr && !trim(value).empty()) return trim(value);
  }
  return {};
}

struct HostPort {
  std::string_view host;  // without brackets
  std::string_view port;  // "" = any
};

// "host", "host:port", "[v6]", "[v6]:port", "v6".  nullopt for anything else in brackets.
std::optional<HostPort> split_host_port(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view after = text.substr(end + 1);
    if (!after.empty() && !after.starts_with(':')) return std::nullopt;
    return HostPort{.host = text.substr(1, end - 1), .port = after.empty() ? after : after.substr(1)};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon != text.rfind(':')) return HostPort{.host = text, .port = {}};
  return HostPort{.host = text.substr(0, colon), .port = text.substr(colon + 1)};
}

bool is_loopback(const SocketAddress& address) {
  const auto bytes = address_bytes(address);
  if (!address.ipv6()) return bytes[0] == 127;
  return std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t b) { return b == 0; }) && bytes[15] == 1;
}

bool in_block(const SocketAddress& address, std::string_view network, std::string_view prefix) {
  const auto base = parse_address(network, 0);
  const auto bits = parse_u64(prefix);
  if (!base || !bits || base->ipv6() != address.ipv6()) return false;
  const auto wanted = address_bytes(*base);
  const auto given = address_bytes(address);
  if (*bits > given.size() * 8) return false;
  for (std::size_t i = 0; i < *bits; ++i) {
    const unsigned difference = wanted[i / 8] ^ given[i / 8];
    if ((difference >> (7 - i % 8) & 1U) != 0) return false;
  }
  return true;
}

bool same_address(const SocketAddress& a, const SocketAddress& b) {
  const auto left = address_bytes(a);
  const auto right = address_bytes(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

bool name_matches(std::string_view host, std::string_view domain) {
  if (domain.starts_with("*.")) domain.remove_prefix(1);
  const bool subdomains_only = domain.starts_with('.');
  if (!subdomains_only && iequals(host, domain)) return true;
  if (domain.empty() || host.size() <= domain.size()) return false;
  const std::string_view tail = host.substr(host.size() - domain.size());
  return iequals(tail, domain) && (subdomains_only || host[host.size() - domain.size() - 1] == '.');
}

bool entry_matches(std::string_view entry, std::string_view host, std::uint16_t port) {
  if (entry.empty()) return false;
  if (entry == "*") return true;
  const auto address = parse_address(host, port);
  if (const std::size_t slash = entry.find('/'); slash != std::string_view::npos) {
    return address && in_block(*address, entry.substr(0, slash), entry.substr(slash + 1));
  }
  const auto parts = split_host_port(entry);
  if (!parts || (!parts->port.empty() && parse_u64(parts->port) != port)) return false;
  if (!address) return name_matches(host, parts->host);
  const auto listed = parse_address(parts->host, port);
  return listed && same_address(*address, *listed);
}

bool exempt(std::string_view host, std::uint16_t port, std::string_view no_proxy) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (iequals(host, "localhost")) return true;
  const auto address = parse_address(host, port);
  if (address && is_loopback(*address)) return true;
  for (const std::string_view entry : split(no_proxy, ',')) {
    if (entry_matches(trim(entry), host, port)) return true;
  }
  return false;
}

}  // namespace

Result<EgressProxy> parse_egress_proxy(std::string_view url) {
  auto proxy = parse_proxy_url(url);
  if (!proxy || proxy->kind == EgressProxy::Kind::kNone) return proxy;
  if (is_host_name(proxy->host) || parse_address(proxy->host, 0)) return proxy;
  return Error{.code = ErrorCode::kInvalid,
               .message = "the proxy URL has no usable host: it must be a name or an IP address",
               .field = "egress_proxy"};
}

std::string env_proxy_url(std::string_view value) {
  value = trim(value);
  if (value.empty() || value.find("://") != std::string_view::npos) return std::string(value);
  return "http://" + std::string(value);
}

std::string env_proxy_for(bool tls, std::string_view host, std::uint16_t port, const Getenv& getenv) {
  std::string_view proxy = tls ? first_of(getenv, {"https_proxy", "HTTPS_PROXY"}) : first_of(getenv, {"http_proxy"});
  if (proxy.empty()) proxy = first_of(getenv, {"all_proxy", "ALL_PROXY"});
  if (proxy.empty() || exempt(host, port, first_of(getenv, {"no_proxy", "NO_PROXY"}))) return {};
  return env_proxy_url(proxy);
}

}  // namespace akr::net
