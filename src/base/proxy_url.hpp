// proxy_url.hpp - the URL of an outbound proxy, read in one way by the check when it is saved and by the connector that
// uses it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace akr {

struct ProxyUrl {
  enum class Kind { kNone, kHttp, kHttps, kSocks5, kSocks5h };
  Kind kind = Kind::kNone;
  std::string host;  // lower case, IPv6 without brackets; what may stand in it is the caller's question
  std::uint16_t port = 0;
  std::string user;  // decoded
  Secret password;
};

// "" -> kNone.  http|https|socks5|socks5h://[user[:password]@]host:port, nothing after it but one '/'; user and
// password percent-encoded, at most 255 bytes each (RFC 1929), no controls, no ':' in the user (RFC 7617).  kInvalid
// (field "egress_proxy") otherwise; its message repeats nothing of the URL.
Result<ProxyUrl> parse_proxy_url(std::string_view text);

}  // namespace akr
