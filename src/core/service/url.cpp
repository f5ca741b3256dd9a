#include "core/service/url.hpp"

#include "base/strict_url.hpp"
#include "base/strings.hpp"
#include "core/service/host_policy.hpp"
#include "core/service/path_check.hpp"

namespace akr {
namespace {

Error invalid_url(std::string message) {
  return {.code = ErrorCode::kInvalid, .message = std::move(message), .field = "target_url"};
}

Result<std::uint16_t> port_of(const StrictUrl& url, bool tls) {
  if (!url.has_port) return static_cast<std::uint16_t>(tls ? 443 : 80);
  auto port = parse_port(url.port);
  if (!port) return invalid_url(port.error().message);
  return port;
}

Result<std::string> host_of(const StrictUrl& url) {
  std::string host = unbracketed_host(url.host);
  switch (host_form(host)) {
    case HostForm::kName:
    case HostForm::kIpv4:
    case HostForm::kIpv6:
      return host;
    case HostForm::kOddNumber:
      return invalid_url("an IPv4 address is written as four decimal numbers, like 192.0.2.1");
    case HostForm::kMalformed:
      break;
  }
  return invalid_url("the host must be a name of letters, digits, '-' and '.', or an IP address, without a last dot");
}

std::string host_header_of(const Origin& origin) {
  std::string header = origin.host.find(':') == std::string::npos ? origin.host : '[' + origin.host + ']';
  if (origin.port != (origin.tls ? 443 : 80)) header += ':' + std::to_string(origin.port);
  return header;
}

Result<Origin> origin_of(const StrictUrl& url) {
  const std::string scheme = to_lower(url.scheme);
  if (scheme != "http" && scheme != "https") return invalid_url("the scheme must be http or https");
  if (url.has_userinfo) return invalid_url("the URL must not hold a user name or password");
  if (url.has_fragment) return invalid_url("the URL must not hold a fragment ('#')");
  const bool tls = scheme == "https";
  auto host = host_of(url);
  if (!host) return host.error();
  const auto port = port_of(url, tls);
  if (!port) return port.error();
  return Origin{.tls = tls, .host = *std::move(host), .port = *port};
}

// Of the length of the mark, in characters that a URL may have: braces are none.
constexpr std::string_view kInPlaceOfKey = "-key-";
static_assert(kInPlaceOfKey.size() == kKeyMark.size());

// `key_at`: where the key's place is in `text`, or npos.
Result<UpstreamUrl> parse_plain_url(std::string_view text, std::size_t key_at) {
  const auto parsed = parse_strict_url(text);
  if (!parsed) return invalid_url(parsed.error().message);
  auto origin = origin_of(*parsed);
  if (!origin) return origin.error();

  UpstreamUrl url;
  url.origin = *std::move(origin);
  url.host_header = host_header_of(url.origin);
  url.query = parsed->query;
  url.base_path = parsed->path;
  if (key_at != std::string_view::npos) {
    const auto path = static_cast<std::size_t>(parsed->path.data() - text.data());
    if (key_at < path || key_at >= path + parsed->path.size()) return invalid_url("{key} must stand in the URL's path");
    url.key_at = key_at - path;
  }
  if (!path_stays_put(url.base_path)) return invalid_url("the path must not hold '.' or '..' segments");
  url.slash_base = url.base_path.ends_with('/');
  while (url.base_path.ends_with('/')) url.base_path.pop_back();
  // "//x" as a whole request target would read as a host.
  if (url.base_path.starts_with("//")) return invalid_url("the path must not begin with two slashes");
  if (url.key_at != std::string::npos) url.base_path.replace(url.key_at, kKeyMark.size(), kKeyMark);
  return url;
}

Result<UpstreamUrl> parse_url_with_key(std::string_view text, std::size_t mark) {
  if (text.find(kKeyMark, mark + 1) != std::string_view::npos) return invalid_url("{key} may stand in a URL only once");
  std::string plain(text);
  plain.replace(mark, kKeyMark.size(), kInPlaceOfKey);
  return parse_plain_url(plain, mark);
}

}  // namespace

Result<UpstreamUrl> parse_upstream_url(std::string_view text) {
  const auto mark = text.find(kKeyMark);
  return mark == std::string_view::npos ? parse_plain_url(text, mark) : parse_url_with_key(text, mark);
}

}  // namespace akr
