#include "proxy/request/cors.hpp"

#include "base/strings.hpp"
#include "core/service/cors_origins.hpp"
#include "net/http/field_line.hpp"

namespace akr {
namespace {

using net::append_field;
using net::FieldId;

// True: this page may call.
bool append_allowed_origin(const RequestContext& ctx, std::string& out) {
  const auto& origins = ctx.asked().config.cors_origins;
  const std::string_view origin = ctx.client.head().find(FieldId::kOrigin);
  if (origin.empty() || !allows_origin(origins, origin)) return false;
  append_field(out, "Access-Control-Allow-Origin", allows_every_origin(origins) ? "*" : origin);
  return true;
}

// What was asked for is allowed: what a request may do is decided when it comes, with its key.
std::string permission(const RequestContext& ctx) {
  const net::MessageHead& head = ctx.client.head();
  std::string fields;
  if (!append_allowed_origin(ctx, fields)) return fields;
  append_field(fields, "Access-Control-Allow-Methods", head.find("access-control-request-method"));
  const std::string_view wanted = head.find("access-control-request-headers");
  if (!wanted.empty()) append_field(fields, "Access-Control-Allow-Headers", wanted);
  // A page of the internet that calls a gateway at home or in an office (Private Network Access).
  if (iequals(head.find("access-control-request-private-network"), "true"))
    fields += "Access-Control-Allow-Private-Network: true\r\n";
  fields += "Access-Control-Max-Age: 7200\r\n";  // as long as Chromium keeps any
  return fields;
}

}  // namespace

bool is_preflight(const RequestContext& ctx) {
  if (!speaks_cors(ctx)) return false;
  const net::MessageHead& head = ctx.client.head();
  return head.method() == "OPTIONS" && !head.find(FieldId::kOrigin).empty() &&
         !head.find("access-control-request-method").empty();
}

net::Task<Result<void>> answer_preflight(RequestContext& ctx) {
  ctx.status = 204;
  std::string fields = permission(ctx);
  if (fields.empty()) ctx.detail = "the page's origin is not in cors_origins";
  fields += "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n";
  append_field(fields, "X-Request-Id", ctx.id);
  co_await ctx.client.reply(ctx.status, std::move(fields), "");
  co_return Result<void>();
}

void append_cors_fields(const RequestContext& ctx, std::string& out) {
  if (append_allowed_origin(ctx, out)) out += "Access-Control-Expose-Headers: *\r\n";
  // Also where nothing was allowed: another page's answer may differ.
  out += "Vary: Origin\r\n";
}

}  // namespace akr
