// egress_proxy_url.hpp - is Service::egress_proxy one that can be used?  Pure.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "core/service/validate.hpp"

namespace akr {

// What parse_proxy_url() (base/proxy_url.hpp) accepts, with a host that is one and that the address policy allows; else
// kInvalid with field "egress_proxy".  The message never repeats the URL: it may hold a password.  Names are judged
// again by what they resolve to, when the proxy is connected to.
Result<void> check_egress_proxy_url(std::string_view text, const ValidationPolicy& policy);

}  // namespace akr
