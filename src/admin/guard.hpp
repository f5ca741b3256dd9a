// guard.hpp - who may call an endpoint, and in what form (ui-and-admin-api.md 4.9).
#pragma once

#include <optional>

#include "admin/admin_api.hpp"
#include "admin/problem.hpp"
#include "admin/session.hpp"

namespace akr {

// 401 without a valid session: "Authorization: Bearer <token>" or the cookie akr_session.  If an Authorization header
// is there, it alone counts.  A cookie may write only for a page of our own origin: 403 otherwise.
std::optional<Problem> refuse_stranger(const AdminRequest& request, const Sessions& sessions);

// 415 for a body that is not declared as JSON.
std::optional<Problem> refuse_foreign_body(const AdminRequest& request);

}  // namespace akr
