#include "proxy/request/prepare.hpp"

#include <algorithm>
#include <cerrno>

#include "core/outcome/retry_policy.hpp"
#include "core/service/url.hpp"
#include "net/http/content_decoder.hpp"
#include "proxy/request/body_key.hpp"
#include "proxy/request/upload_credential.hpp"

namespace akr {
namespace {

constexpr std::size_t kPiece = 256 * 1024;  // one write to the temporary file

Result<void> join(const RequestContext& ctx, const RouteMatch& route, UpstreamRequest& request) {
  request.target.clear();
  const JoinRule& rule = request.service->join;
  // The query travels on without the access key if that came there.
  const AccessGrant& grant = ctx.grant;
  if (!grant.key_in_query && !grant.own_in_query && !grant.upload_in_query)
    return join_target(*request.url, rule, route.rest, route.query, request.target);
  std::string edited(route.query);
  if (grant.key_in_query) edited = remove_parameter(edited, "key");
  if (grant.own_in_query) edited = remove_parameter(edited, ctx.asked().config.key_placement->name);
  if (grant.upload_in_query) edited = remove_parameter(edited, kUploadCredential);
  return join_target(*request.url, rule, route.rest, edited, request.target);
}

bool same_join(const RoutedService& a, const RoutedService& b) {
  return &a == &b || (a.join.bare_is_base == b.join.bare_is_base && a.join.once.data() == b.join.once.data() &&
                      a.join.withheld.data() == b.join.withheld.data());
}

// Usually only the host differs.
bool same_base(const UpstreamUrl& a, const UpstreamUrl& b) {
  return &a == &b ||
         (a.base_path == b.base_path && a.query == b.query && a.key_at == b.key_at && a.slash_base == b.slash_base);
}

// Two readers may choose two of them, and find other names in the body.
bool types_differ(const RoutedService& service, const net::MessageHead& head) {
  if (service.provider == nullptr && service.config.affinity_rules.empty()) return false;
  const std::string_view type = head.find(net::FieldId::kContentType);
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (head.id_of(i) == net::FieldId::kContentType && head.field(i).value != type) return true;
  }
  return false;
}

bool take_here(RequestContext& ctx, PreparedRequest& request) {
  std::string_view here;
  if (!ctx.client.take_buffered_body(here)) return false;
  request.body.set_view(here);
  return true;
}

}  // namespace

Error body_too_large(std::uint64_t limit) {
  return {ErrorCode::kBodyTooLarge, "the request body is over the limit of " + std::to_string(limit) + " bytes"};
}

net::IoResult UploadSource::next(std::string_view& run) {
  client_.send_continue();
  const net::IoResult result = client_.try_read_body(run);
  begun_ = begun_ || result.status == net::IoStatus::kOk;
  // Of an unknown length: what is over the limit is seen only now.
  if (client_.body_counted() > most_) return {.status = net::IoStatus::kError, .error = EFBIG};
  return result;
}

Result<bool> prepare_now(RequestContext& ctx, PreparedRequest& request, const BodyLimits& limits) {
  const net::MessageHead& head = ctx.client.head();
  request.upgrade = head.upgrade_websocket();
  request.idempotent = is_idempotent(head.method());
  request.upstream.service = &ctx.asked();
  request.upstream.url = &ctx.asked().url;
  if (auto joined = join(ctx, ctx.route, request.upstream); !joined) return joined.error();

  if (head.body_kind() == net::BodyKind::kNone) return take_here(ctx, request);
  if (types_differ(ctx.asked(), head)) {
    return Error{ErrorCode::kBadRequest, "the request has two Content-Type fields that differ"};
  }
  const BodyPlan plan = plan_body(ctx, limits);
  ctx.body_limit = plan.limit;
  if (head.content_length() > plan.limit) return body_too_large(plan.limit);
  if (!(plan.streams && plan.even_if_here) && take_here(ctx, request)) return true;
  request.streams_upload = plan.streams;
  request.upload.limit_to(plan.limit);
  return plan.streams;
}

Result<void> make_upstream_request(const RequestContext& ctx, const RoutedService& service, const UpstreamUrl& url,
                                   PreparedRequest& request) {
  UpstreamRequest& made = request.upstream;
  const bool fits = same_join(service, *made.service) && same_base(url, *made.url);
  made.service = &service;
  made.url = &url;
  if (fits) return {};
  // The views of the first match ended when a body needed a larger buffer.
  const auto route = ctx.routing->match(ctx.client.head().target());
  if (!route) return route.error();
  return join(ctx, *route, made);
}

void decode_body(const net::MessageHead& head, PreparedRequest& request) {
  constexpr std::size_t kMost = 1 << 20;
  if (request.streams_upload || !head.has(net::FieldId::kContentEncoding)) return;
  const net::ContentCodings codings = net::content_codings(head);
  if (codings.none()) return;
  net::DecodedBody body = net::decode_content(codings, request.body.beginning(), kMost);
  // Some say gzip and send none.
  if (body.end == net::DecodedEnd::kBroken && body.text.empty()) return;
  if (PreparedRequest::opens_json(request.body.beginning())) {
    request.two_readings = body.end != net::DecodedEnd::kBroken;
    return;
  }
  request.decoded = std::move(body.text);
  const bool all_is_here = request.body.beginning().size() == request.body.size();
  request.decoded_whole = all_is_here && body.end == net::DecodedEnd::kWhole;
}

net::Task<Result<void>> collect_body(RequestContext& ctx, PreparedRequest& request, std::uint64_t max_body,
                                     BodyKeyGate* gate) {
  net::Downstream& client = ctx.client;
  client.send_continue();
  const std::uint64_t reserve = gate == nullptr ? client.head().content_length() : BodyKeyGate::kLook;
  request.body.expect(std::min(client.head().content_length(), reserve));
  std::string piece;  // of what goes to the file
  for (;;) {
    std::string_view run;
    const net::IoResult result = client.try_read_body(run);
    const bool whole = result.status == net::IoStatus::kEof;
    if (piece.size() >= kPiece || (whole && !piece.empty())) {
      auto kept = co_await request.body.append_on_disk(client.worker(), piece);
      if (!kept) co_return kept.error();
      piece.clear();
    }
    if (whole) co_return Result<void>();
    if (result.status == net::IoStatus::kError) co_return client.body_error(result.error);
    if (result.status == net::IoStatus::kWouldBlock) {
      const net::WaitEnd end = co_await net::wait_for(client.socket(), result.want, client.body_deadline());
      if (end == net::WaitEnd::kTimeout) co_return client.body_error(ETIMEDOUT);
      if (end == net::WaitEnd::kCancelled) co_return Error{ErrorCode::kShuttingDown, "the gateway is shutting down"};
      continue;
    }
    if (client.body_counted() > max_body) co_return body_too_large(max_body);
    if (gate != nullptr) {
      if (auto passed = gate->look(run); !passed) co_return passed.error();
    }
    if (piece.empty() && request.body.fits_in_memory(run.size())) {
      if (auto kept = request.body.append(run); !kept) co_return kept.error();
    } else {
      piece += run;
    }
  }
}

}  // namespace akr
