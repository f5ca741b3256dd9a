// egress_proxy_url.hpp - is Service::egress_proxy one that can be used?  Pure.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace akr {

// "" (none) or (http|https|socks5|socks5h)://[user[:password]@]host:port, nothing after it but one '/'.  Else kInvalid
// with field "egress_proxy".  The message never repeats the URL: it may hold a password.  Private hosts are fine,
// since the proxy is the operator's own; metadata and link-local addresses are not.
Result<void> check_egress_proxy_url(std::string_view text);

}  // namespace akr
