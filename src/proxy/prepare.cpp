#include "proxy/prepare.hpp"

#include <cerrno>

#include "core/retry_policy.hpp"
#include "core/url.hpp"

namespace akr {
namespace {

Error too_large(std::uint64_t limit) {
  return {ErrorCode::kBodyTooLarge, "the request body is over the limit of " + std::to_string(limit) + " bytes"};
}

Error body_failure(const net::IoResult& result) {
  if (result.error == EPROTO) return {ErrorCode::kBadRequest, "the chunked request body is not valid"};
  if (result.error == EMSGSIZE) return {ErrorCode::kHeadTooLarge, "the request head leaves no room for its body"};
  return {ErrorCode::kClientGone, "the client left before its body was complete"};
}

// The query that travels on: without the access key if it came there.
std::string query_for_upstream(const RequestContext& ctx) {
  if (!ctx.grant.key_in_query) return std::string(ctx.route.query);
  return remove_parameter(ctx.route.query, "key");
}

}  // namespace

net::IoResult UploadSource::next(std::string_view& run) {
  client_.send_continue();
  return client_.try_read_body(run);
}

Result<bool> prepare_now(RequestContext& ctx, PreparedRequest& request, std::uint64_t max_body) {
  const net::MessageHead& head = ctx.client.head();
  const Service& service = ctx.service().config;
  request.upgrade = head.upgrade_websocket();
  request.idempotent = is_idempotent(head.method());
  const bool plain_query = !ctx.grant.key_in_query;
  const std::string edited = plain_query ? std::string() : query_for_upstream(ctx);
  const std::string_view query = plain_query ? ctx.route.query : std::string_view(edited);
  auto joined = join_target(ctx.service().url, ctx.service().join, ctx.route.rest, query, request.target);
  if (!joined) return joined.error();

  request.streams_upload = service.stream_uploads && head.body_kind() != net::BodyKind::kNone;
  if (request.streams_upload) return true;
  if (head.content_length() > max_body) return too_large(max_body);
  std::string_view here;
  if (!ctx.client.take_buffered_body(here)) return false;
  request.body.set_view(here);
  return true;
}

net::Task<Result<void>> collect_body(RequestContext& ctx, PreparedRequest& request, std::uint64_t max_body) {
  net::Downstream& client = ctx.client;
  client.send_continue();
  request.body.expect(client.head().content_length());
  for (;;) {
    std::string_view run;
    const net::IoResult result = client.try_read_body(run);
    if (result.status == net::IoStatus::kEof) co_return Result<void>();
    if (result.status == net::IoStatus::kError) co_return body_failure(result);
    if (result.status == net::IoStatus::kWouldBlock) {
      const net::WaitEnd end = co_await net::wait_for(client.socket(), result.want, client.body_deadline());
      if (end == net::WaitEnd::kTimeout) {
        co_return Error{ErrorCode::kRequestTimeout, "the request body came too slowly"};
      }
      if (end == net::WaitEnd::kCancelled) co_return Error{ErrorCode::kShuttingDown, "the gateway is shutting down"};
      continue;
    }
    if (client.body_received() > max_body) co_return too_large(max_body);
    auto kept = request.body.append(run);
    if (!kept) co_return kept.error();
  }
}

}  // namespace akr
