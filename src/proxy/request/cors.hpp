// cors.hpp - web pages that call a service of another origin than their own (Fetch standard, "CORS protocol"): what a
// browser asks first, and what it must read in every answer before it lets the page see it.  Only for services with
// cors_origins; their upstreams' own words about it are dropped, because the page asked us.
//
// Never Access-Control-Allow-Credentials: our credentials are fields that the page sets, not cookies, and without it
// "*" may stand for all fields.
#pragma once

#include <string>

#include "base/result.hpp"
#include "net/loop/task.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// Do we answer browsers for the asked service?
inline bool speaks_cors(const RequestContext& ctx) {
  return ctx.route.service != nullptr && !ctx.asked().config.cors_origins.empty();
}

// A browser's question, which holds no key: OPTIONS with Origin and Access-Control-Request-Method, where we answer it.
bool is_preflight(const RequestContext& ctx);
// 204.  To an origin that is not allowed it says nothing, so that the browser stops.
net::Task<Result<void>> answer_preflight(RequestContext& ctx);

// Appends what belongs into every other answer of such a service, as whole lines.  REQUIRES: speaks_cors(ctx).
void append_cors_fields(const RequestContext& ctx, std::string& out);

}  // namespace akr
