#include "proxy/gateway.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "net/loop/worker.hpp"
#include "proxy/answer/body_urls.hpp"
#include "proxy/answer/error_reply.hpp"
#include "proxy/attempt/packed_error.hpp"
#include "proxy/request/authenticate.hpp"
#include "proxy/request/body_key.hpp"
#include "proxy/request/cors.hpp"
#include "proxy/request/prepare.hpp"
#include "proxy/request/request_facts.hpp"

namespace akr {
namespace {

bool wants_explanation(const net::MessageHead& head, const AdminCheck& is_admin) {
  constexpr std::string_view kScheme = "Bearer ";
  if (head.find(net::FieldId::kXRotatorOther).empty() || head.find("x-rotator-explain") != "1") return false;
  const std::string_view given = head.find("x-rotator-admin");
  return given.starts_with(kScheme) && is_admin(given.substr(kScheme.size()));
}

bool unknown_key(const Error& refused) { return refused.code == ErrorCode::kAccessKeyInvalid; }

// A stale credential in the head says nothing about the body.
bool body_may_tell(const RequestContext& ctx, const Error& refused) {
  if (!ctx.asked().config.accept_body_key || ctx.client.head().body_kind() == net::BodyKind::kNone) return false;
  return refused.code == ErrorCode::kAccessKeyMissing || unknown_key(refused);
}

// Expected failures are values; what comes as an exception is no memory or a bug.  The request ends all the same, once.
Error failed_inside(RequestContext& ctx, const std::exception& failure) {
  if (ctx.client.answered()) {
    ctx.cut = true;
    ctx.client.mark_broken(true);  // an answer that was begun must not look complete
  }
  ctx.client.forbid_keep_alive();
  if (dynamic_cast<const std::bad_alloc*>(&failure) != nullptr) return {ErrorCode::kOverloaded, "out of memory"};
  log_failure("request_failed", failure.what());
  return {ErrorCode::kInternal, "internal error"};
}

}  // namespace

Gateway::Gateway(net::Worker& worker, const AccessKeys& keys, Attempts& attempts, AccessLog& log,
                 GatewaySettings settings)
    : worker_(worker),
      keys_(keys),
      attempts_(attempts),
      log_(log),
      settings_(std::move(settings)),
      routing_(std::make_shared<const RoutingTable>(std::vector<RoutedService>())) {}

net::Task<void> Gateway::handle(net::Downstream& client) {
  RequestContext ctx(client, routing_, worker_.now());
  ctx.id = ids_.id_of(client.head());
  ctx.public_base = settings_.public_base_url;
  ctx.uploads = settings_.uploads;
  ctx.note_head();
  ctx.head_method = ctx.method == "HEAD";
  Result<void> served;
  try {
    served = co_await serve(ctx);
  } catch (const std::exception& failure) {
    served = failed_inside(ctx, failure);
  }
  if (!served) co_await reply_with_error(ctx, served.error());  // no-op if a response head already left
  ctx.note_head();
  log_.record(ctx);  // every request ends here, once
}

net::Task<Result<void>> Gateway::serve(RequestContext& ctx) {
  // A hash lookup: cheapest step, and it tells the next ones which dialect and rules apply.
  auto route = ctx.routing->match(ctx.client.head().target());
  if (!route) co_return route.error();
  ctx.route = *route;
  ctx.listen();

  // A browser asks before it lets a page call, and may not send the key with it.
  if (is_preflight(ctx)) co_return co_await answer_preflight(ctx);

  // Before the body is read: an unauthenticated client must not make us buffer anything.
  const Result<void> admitted = admit(ctx);
  const bool by_body = !admitted && body_may_tell(ctx, admitted.error());
  if (!admitted && !by_body) co_return admitted.error();
  if (!by_body) ctx.client.recognise();

  // Once, outside the retry loop: attempts differ only in key and connection.
  PreparedRequest request(ctx.client, settings_.body_directory, settings_.disk);
  auto ready = prepare_now(ctx, request, settings_.body);
  if (!ready) co_return ready.error();
  if (by_body || !*ready) {
    auto received = co_await receive(ctx, request, admitted);
    if (!received) co_return received;
  }
  decode_body(ctx.client.head(), request);
  // What lives in one provider account is reached with the key that made it, or not at all (D23).  Before the other
  // facts: a body that is looked through for ids has told its model.
  const bool at_once = is_read_at_once(ctx.client.head(), request);
  Result<void> found;
  if (at_once) found = find_pin(ctx, request, settings_.pins);
  if (!at_once) found = co_await find_pin_in_turns(ctx, request, settings_.pins);
  if (!found) co_return found;
  read_request_facts(ctx, request, ctx.asked());
  // Held for longer, a silent stream's head would keep the comments back that keep its client waiting.
  ctx.longest_hold = settings_.relay.sse_keepalive / 2;
  ctx.explain = settings_.is_admin && wants_explanation(ctx.client.head(), settings_.is_admin);

  // All attempts happen before the first response byte goes down; after that there is no second try.
  Attempt last;
  co_await attempts_.run(ctx, request, last);
  request.body.release();
  if (last.error) co_return *last.error;
  if (last.answer->head.status() == 101) co_return co_await switch_protocols(ctx, request, last);
  if (is_packed_error(last) || may_name_urls(ctx, last)) {
    auto looked = co_await look_inside(ctx, last);
    if (!looked) co_return looked;
  }
  last.tap = tap_answer(ctx, last, settings_.pins);
  co_return co_await relay(ctx, last, settings_.relay);
}

// A body that is not here yet, or that tells who asks.  `admitted`: what the head said of that.
net::Task<Result<void>> Gateway::receive(RequestContext& ctx, PreparedRequest& request, const Result<void>& admitted) {
  if (admitted) co_return co_await collect_body(ctx, request, ctx.body_limit);
  // Of a stranger's body only as much as it takes to find out who it is.
  auto found = co_await admit_by_body(ctx, request, keys_);
  if (!found && found.error().code == ErrorCode::kAccessKeyMissing && unknown_key(admitted.error()))
    co_return admitted.error();
  if (!found) co_return found.error();
  co_return check_method(ctx);
}

net::Task<Result<void>> Gateway::switch_protocols(RequestContext& ctx, const PreparedRequest& request, Attempt& last) {
  if (request.upgrade && last.answer->head.upgrade_websocket()) co_return co_await relay_upgrade(ctx, last);
  co_return Error{ErrorCode::kUpstreamProtocol, "the upstream switched to a protocol that was not asked for"};
}

// What cannot be read on its way down is looked into before any of it goes (D07).  A client that follows a provider's
// URLs past us would show it its access key.
net::Task<Result<void>> Gateway::look_inside(RequestContext& ctx, Attempt& last) {
  Result<void> looked;
  if (is_packed_error(last)) {
    looked = co_await look_into_packed_error(ctx, last, settings_.packed_error);
  } else {
    looked = co_await rewrite_body_urls(ctx, last);
  }
  ctx.answered = worker_.now();  // the wait for its body was the upstream's
  co_return looked;
}

// May this client use this service in this way?
Result<void> Gateway::admit(RequestContext& ctx) {
  auto known = authenticate(ctx.client.head(), ctx.route.query, ctx.asked().config, keys_, ctx.grant);
  // SDKs send the pieces of an upload to the URL that they were told, and nothing else that says who asks.
  if (holds_upload_credential(ctx.route.query)) known = admit_upload(ctx, std::move(known));
  if (!known) return known;
  return check_method(ctx);
}

Result<void> Gateway::check_method(const RequestContext& ctx) {
  const Service& service = ctx.asked().config;
  const std::string_view method = ctx.client.head().method();
  // TRACE would show the injected key to the client, CONNECT would make us a tunnel (ASVS 13.4.4).
  const bool refused = method == "TRACE" || method == "CONNECT";
  const bool listed = service.methods.empty() ||
                      std::find(service.methods.begin(), service.methods.end(), method) != service.methods.end();
  if (!refused && (listed || service.type == ServiceType::kLlm)) return {};
  Error error = {ErrorCode::kMethodNotAllowed,
                 "this service does not accept " + std::string(method) + "; it accepts " +
                     (ctx.asked().allow.empty() ? "all methods but CONNECT and TRACE" : ctx.asked().allow)};
  error.allow = ctx.asked().allow.empty() ? "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" : ctx.asked().allow;
  return error;
}

}  // namespace akr
