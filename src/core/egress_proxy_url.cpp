#include "core/egress_proxy_url.hpp"

#include <algorithm>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/strings.hpp"
#include "core/host_policy.hpp"

namespace akr {
namespace {

constexpr std::string_view kSchemes[] = {"http", "https", "socks5", "socks5h"};

Error invalid(std::string message) {
  return {.code = ErrorCode::kInvalid, .message = std::move(message), .field = "egress_proxy"};
}

// SOCKS5 sends each in at most 255 bytes (RFC 1929); a control would break an HTTP CONNECT head.
bool credential_is_sendable(std::string_view encoded) {
  const auto decoded = percent_decode(encoded);
  return decoded && decoded->size() <= 255 &&
         std::none_of(decoded->begin(), decoded->end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

Result<void> check_egress_proxy_url(std::string_view text) {
  if (text.empty()) return {};
  const auto url = boost::urls::parse_uri({text.data(), text.size()});
  if (text.size() > 2048 || !url || !url->has_authority()) {
    return invalid("must be http, https, socks5 or socks5h://[user:password@]host:port");
  }
  const std::string scheme = to_lower({url->scheme().data(), url->scheme().size()});
  if (std::find(std::begin(kSchemes), std::end(kSchemes), scheme) == std::end(kSchemes)) {
    return invalid("the scheme must be http, https, socks5 or socks5h");
  }
  const std::string host = unbracketed_host({url->encoded_host().data(), url->encoded_host().size()});
  const HostForm form = host_form(host);
  if (form == HostForm::kMalformed || form == HostForm::kOddNumber) return invalid("the host is not valid");
  if (classify_host(host) == AddressClass::kForbidden) return invalid("this address is never allowed");
  const auto port = parse_u64({url->port().data(), url->port().size()});
  if (!port || *port == 0 || *port > 65535) return invalid("the port must be a number from 1 to 65535");
  const auto path = url->encoded_path();
  if ((!path.empty() && path != "/") || url->has_query() || url->has_fragment()) {
    return invalid("nothing may follow the port");
  }
  const auto user = url->encoded_user();
  const auto password = url->encoded_password();
  if (!credential_is_sendable({user.data(), user.size()}) ||
      !credential_is_sendable({password.data(), password.size()})) {
    return invalid("user name and password have at most 255 bytes each and no control characters");
  }
  return {};
}

}  // namespace akr
