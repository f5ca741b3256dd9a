#include "core/service/egress_proxy_url.hpp"

#include "base/proxy_url.hpp"
#include "core/service/host_policy.hpp"

namespace akr {
namespace {

Error invalid(std::string message) {
  return {.code = ErrorCode::kInvalid, .message = std::move(message), .field = "egress_proxy"};
}

}  // namespace

Result<void> check_egress_proxy_url(std::string_view text, const ValidationPolicy& policy) {
  const auto proxy = parse_proxy_url(text);
  if (!proxy) return proxy.error();
  if (proxy->kind == ProxyUrl::Kind::kNone) return {};
  const HostForm form = host_form(proxy->host);
  if (form == HostForm::kMalformed || form == HostForm::kOddNumber) {
    return invalid("the proxy's host must be a name of letters, digits, '-', '_' and '.', or an IP address");
  }
  const AddressClass kind = classify_host(proxy->host);
  if (kind == AddressClass::kForbidden) {
    return invalid("a proxy at a link-local, metadata, multicast or reserved address is never allowed");
  }
  if (!address_allowed(kind, policy.allow_private_upstreams)) {
    return invalid("a proxy at a private or loopback address is not allowed while ALLOW_PRIVATE_UPSTREAMS is false");
  }
  return {};
}

}  // namespace akr
