#include "base/proxy_url.hpp"

#include <algorithm>
#include <optional>

#include "base/strict_url.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

Error invalid(std::string what) {
  return {.code = ErrorCode::kInvalid,
          .message = std::move(what) + "; expected http, https, socks5 or socks5h://[user:password@]host:port",
          .field = "egress_proxy"};
}

std::optional<ProxyUrl::Kind> kind_of(std::string_view scheme) {
  if (iequals(scheme, "http")) return ProxyUrl::Kind::kHttp;
  if (iequals(scheme, "https")) return ProxyUrl::Kind::kHttps;
  if (iequals(scheme, "socks5")) return ProxyUrl::Kind::kSocks5;
  if (iequals(scheme, "socks5h")) return ProxyUrl::Kind::kSocks5h;
  return std::nullopt;
}

// SOCKS5 sends each in at most 255 bytes (RFC 1929); a control would break the head of a CONNECT.
bool sendable(std::string_view text) {
  return text.size() <= 255 &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool read_credentials(std::string_view text, ProxyUrl& proxy) {
  const std::size_t colon = text.find(':');
  const auto user = percent_decode(text.substr(0, colon));
  auto password = percent_decode(colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1));
  if (!user || !password) return false;
  // Basic authentication ends the user at the first colon.
  const bool fits = !user->empty() && sendable(*user) && sendable(*password) && user->find(':') == std::string::npos;
  proxy.user = *user;
  proxy.password = Secret(*password);
  wipe(*password);
  return fits;
}

// Brackets around anything but an IPv6 address stay, and make the host one that nobody accepts.
std::string unbracketed(std::string_view host) {
  const bool literal = host.starts_with('[') && host.find_first_not_of("[]:.0123456789abcdefABCDEF") == host.npos &&
                       host.find(':') != std::string_view::npos;
  return to_lower(literal ? host.substr(1, host.size() - 2) : host);
}

}  // namespace

Result<ProxyUrl> parse_proxy_url(std::string_view text) {
  ProxyUrl proxy;
  if (text.empty()) return proxy;
  if (text.size() > 2048) return invalid("the proxy URL has more than 2048 characters");
  const auto url = parse_strict_url(text);
  if (!url) return invalid("the proxy URL cannot be read: " + url.error().message);
  const auto kind = kind_of(url->scheme);
  if (!kind) return invalid("the proxy URL has an unknown scheme");
  proxy.kind = *kind;
  if (url->has_userinfo && !read_credentials(url->userinfo, proxy)) {
    return invalid(
        "the proxy URL has an unusable user or password: at most 255 bytes each, no control characters, no ':' in the "
        "user, other characters as %XX");
  }
  const auto port = parse_port(url->port);
  if (!port) return invalid("the proxy URL has no usable port: " + port.error().message);
  if ((!url->path.empty() && url->path != "/") || url->has_query || url->has_fragment) {
    return invalid("nothing may follow the port of a proxy URL");
  }
  proxy.host = unbracketed(url->host);
  proxy.port = *port;
  return proxy;
}

}  // namespace akr
