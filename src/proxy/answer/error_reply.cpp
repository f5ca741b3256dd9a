#include "proxy/answer/error_reply.hpp"

#include <algorithm>

#include <boost/json.hpp>

#include "base/error_table.hpp"
#include "base/json_text.hpp"
#include "llm/dialect/registry.hpp"
#include "proxy/request/headers.hpp"

namespace akr {
namespace {

constexpr int kLongWait = 60;  // seconds; SDKs would sit through any Retry-After (llm-formats.md 1.1)

// No other key and no other second will help: keep SDKs from repeating the request, as they do after these statuses.
bool retry_is_pointless(const Error& error) {
  if (error.retry_after > 0) return error.retry_after > kLongWait;
  const ErrorRow& row = row_of(error.code);
  return !row.retryable && (row.status >= 500 || row.status == 429 || row.status == 409 || row.status == 408);
}

ErrorDetail detail_of(const Error& error, std::string_view request_id) {
  ErrorDetail detail;
  detail.status = status_of(error.code);
  detail.code = to_string(error.code);
  detail.message = error.message;
  if (error.retry_after > 0) detail.retry_after = std::chrono::seconds(error.retry_after);
  detail.request_id = request_id;
  return detail;
}

std::string fields_of(RequestContext& ctx, const Error& error) {
  std::string fields = "Content-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n";
  append_own_fields(ctx, false, fields);
  if (error.code == ErrorCode::kMethodNotAllowed) fields += "Allow: " + error.allow + "\r\n";
  if (error.code == ErrorCode::kAccessKeyMissing || error.code == ErrorCode::kAccessKeyInvalid) {
    fields += "WWW-Authenticate: Bearer\r\n";
  }
  if (error.retry_after > 0) fields += "Retry-After: " + std::to_string(error.retry_after) + "\r\n";
  if (ctx.client_speaks != nullptr && retry_is_pointless(error)) fields += "X-Should-Retry: false\r\n";
  return fields;
}

}  // namespace

int status_of(ErrorCode code) { return row_of(code).status; }

std::string error_body(const Dialect* dialect, const Error& error, std::string_view request_id) {
  if (dialect != nullptr) return dialect->build_error(detail_of(error, request_id));
  boost::json::object body;
  body["detail"] = error.message;  // the original's member
  body["code"] = to_string(error.code);
  if (!request_id.empty()) body["request_id"] = request_id;
  return json_text(body);
}

const Dialect* guess_dialect(const net::MessageHead& head) {
  std::string_view path = head.target().substr(0, head.target().find('?'));
  if (!path.starts_with("/llm/")) return nullptr;
  path.remove_prefix(path.find('/', 1) + 1);
  path.remove_prefix(std::min(path.find('/'), path.size()));  // the slug
  for (const Dialect* dialect : dialects()) {
    if (dialect->operation_of(path) != Operation::kNone) return dialect;
  }
  for (const Dialect* dialect : dialects()) {
    for (const std::string_view name : dialect->telltale_fields()) {
      if (!head.find(name).empty()) return dialect;
    }
  }
  return dialects().front();
}

net::Task<void> reply_with_error(RequestContext& ctx, Error error) {
  ctx.failed = true;
  ctx.error = error.code;
  if (ctx.client.answered()) co_return;
  ctx.status = status_of(error.code);
  ctx.from_upstream = false;
  ctx.detail = for_logs(error.message);
  if (ctx.client_speaks == nullptr && ctx.route.service == nullptr)
    ctx.client_speaks = guess_dialect(ctx.client.head());
  if (error.code == ErrorCode::kClientGone) {
    ctx.client.mark_broken(true);
    co_return;
  }
  std::string body = error_body(ctx.client_speaks, for_people(error), ctx.id);
  // What was framed badly cannot be followed by another request.
  if (error.code == ErrorCode::kBadRequest || error.code == ErrorCode::kRequestTimeout) ctx.client.forbid_keep_alive();
  std::string fields = fields_of(ctx, error);
  if (!ctx.head_method) ctx.bytes_out = body.size();
  co_await ctx.client.reply(ctx.status, std::move(fields), std::move(body));
}

std::string stream_error_event(const RequestContext& ctx) {
  const Error error = {ErrorCode::kUpstreamInterrupted, "the stream was interrupted: " + ctx.detail};
  return ctx.client_speaks->build_error_event(detail_of(error, ctx.id));
}

}  // namespace akr
