// guard.hpp - who may call an endpoint, and in what form (ui-and-admin-api.md 4.9).
#pragma once

#include <optional>
#include <string_view>

#include "admin/admin_api.hpp"
#include "admin/problem.hpp"
#include "admin/session.hpp"

namespace akr {

// "https://h:p/base/" -> {"https", "h:p", "/base"}; views into `url`.
struct PublicUrl {
  std::string_view scheme, host, base;
};
PublicUrl split_public_url(std::string_view url);

// Does the browser that asks speak https?  To us, to a proxy of TRUSTED_PROXIES that says so, or because
// PROXY_PUBLIC_BASE_URL is https and names the very host that was asked for.
bool browser_uses_https(const AdminRequest& request, std::string_view public_base_url);

// 401 without a valid session: "Authorization: Bearer <token>" or the cookie akr_session.  If an Authorization header
// is there, it alone counts.  A cookie may write only for a page of our own origin, scheme included: 403 otherwise.
std::optional<Problem> refuse_stranger(const AdminRequest& request, const Sessions& sessions,
                                       std::string_view public_base_url);

// 415 for a body that is not declared as JSON.
std::optional<Problem> refuse_foreign_body(const AdminRequest& request);

}  // namespace akr
