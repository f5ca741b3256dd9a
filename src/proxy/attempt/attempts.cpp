#include "proxy/attempt/attempts.hpp"

#include <algorithm>

#include "base/count_up.hpp"
#include "core/keys/home_rank.hpp"
#include "proxy/attempt/attempt_error.hpp"
#include "proxy/attempt/fallback.hpp"
#include "proxy/attempt/look.hpp"
#include "proxy/attempt/soonest_end.hpp"
#include "proxy/attempt/upstream_health.hpp"
#include "proxy/request/headers.hpp"
#include "proxy/request/pins.hpp"

namespace akr {
namespace {

constexpr int kMostWaiting = 1000;  // per worker
constexpr std::chrono::milliseconds kLongestWait{10'000};
constexpr std::chrono::milliseconds kLookAgain{20};

bool harmless_twice(const Service& service, const PreparedRequest& request) {
  return request.replayable() && (request.idempotent || service.retry.retry_non_idempotent);
}

// The request of a client, with the key of one attempt in its head.
class ClientRequest final : public OutgoingRequest {
 public:
  ClientRequest(const RequestContext& ctx, PreparedRequest& request, const Attempt& attempt)
      : ctx_(ctx), request_(request), attempt_(attempt) {}
  void write_head(std::string& out) override {
    compose_request_head(ctx_, request_, attempt_.by, attempt_.lease.key(), out);
  }
  net::BodySource* start_body() override {
    request_.body.rewind();
    if (request_.streams_upload) return &request_.upload;
    return request_.body.size() > 0 ? &request_.body : nullptr;
  }

 private:
  const RequestContext& ctx_;
  PreparedRequest& request_;
  const Attempt& attempt_;
};

// `advice`: of the last attempt, if there was one.
bool wants_other_key(const RequestContext& ctx, RetryAdvice advice) {
  return ctx.pinned && ctx.attempts > 0 && advice == RetryAdvice::kNextKey;
}

bool soon_over(const Error& refused) {
  return refused.code == ErrorCode::kAllKeysCooling ||
         (refused.code == ErrorCode::kPinnedKeyUnavailable && refused.retry_after > 0);
}

}  // namespace

Attempts::Attempts(Caller& caller, AttemptSettings settings)
    : worker_(caller.worker()), caller_(caller), settings_(settings) {}

net::Task<void> Attempts::run(RequestContext& ctx, PreparedRequest& request, Attempt& last) {
  Fallbacks fallbacks(ctx, request);
  fallbacks.start();
  net::ClientWatch watch(ctx.client.socket());
  // `last` holds "no usable key" until a real attempt replaces it; relay() answers with whatever it holds.
  for (;;) {  // one service after the other
    Target& target = fallbacks.target();
    last.by = {.service = target.service, .speaks = target.speaks, .url = &target.service->url};
    RetryBudget budget = fallbacks.budget();
    while (budget.allows(last.facts, worker_.now())) {
      if (ctx.attempts > 0 && watch.gone()) {  // nothing is done again for one who has left
        last.error = Error{ErrorCode::kClientGone, "the client left before the answer"};
        break;
      }
      auto lease = take_key(ctx, target, last.facts.verdict.retry);
      if (!lease && !fallbacks.any() && worth_waiting(ctx, target, lease.error()))
        lease = co_await wait_for_key(ctx, target, lease.error());
      if (!lease) lease = keep_key(ctx, target, last, lease.error());
      if (!lease) {
        ctx.trace.found_nobody(lease.error().code);
        if (budget.attempts() == 0) last.error = lease.error();
        break;  // pool exhausted: the client gets the last real answer
      }
      budget.count_attempt();
      begin(ctx, target, *std::move(lease), last);
      co_await send(ctx, request, last);
      end(ctx, request, target, last);
      budget.note_end(last.facts);
    }
    if (!last.error && last.facts.verdict.retry == RetryAdvice::kNextKey)
      last.error = refused_credentials(last.by, last.facts, last.legible());
    if (!fallbacks.move_on(budget, last, worker_.now())) break;
  }
  fallbacks.settle(last);
  ctx.served = last.by;
  name_soonest_end(ctx, last, worker_.now());
  if (ctx.pinned) explain_refusal(last.facts.verdict, last.error);
}

void Attempts::begin(RequestContext& ctx, Target& target, KeyLease lease, Attempt& attempt) const {
  ctx.trace.took(lease.key().fingerprint);
  attempt.give_back();
  if (ctx.attempts > 0) attempt = Attempt();
  ++ctx.attempts;
  target.note_tried(lease.key().id);
  attempt.by = {target.service, target.speaks, &target.service->url, lease.key().fingerprint};
  attempt.lease = std::move(lease);
  if (!target.service->upstreams) return;
  attempt.upstream = target.service->upstreams->select(target.failed_urls, worker_.now());
  attempt.by.url = &attempt.upstream.url();
  ctx.trace.goes_to(attempt.upstream.index(), *attempt.by.url);
}

void Attempts::end(RequestContext& ctx, const PreparedRequest& request, Target& target, Attempt& attempt) const {
  const Verdict& verdict = attempt.facts.verdict;
  // An upload's bytes are gone even if the upstream got none of them.
  if (request.upload.begun() && attempt.facts.progress == SendProgress::kNothingSent)
    attempt.facts.progress = SendProgress::kSent;
  attempt.by.outcome = verdict.reason;
  attempt.lease.report(verdict, worker_.now());
  if (attempt.upstream) {
    if (verdict.endpoint == EndpointEffect::kFail) target.failed_urls |= UpstreamMask{1} << attempt.upstream.index();
    report_upstream(*target.service, attempt.upstream, verdict.endpoint, worker_.now());
  }
  // As it came: an error inside a 200 shows in the outcome.
  const int status = attempt.answer ? attempt.answer->head.status() : attempt.facts.status;
  ctx.trace.ended(status, verdict, attempt.rule);
}

net::Task<void> Attempts::send(RequestContext& ctx, PreparedRequest& request, Attempt& attempt) {
  const RoutedService& service = *attempt.by.service;
  if (auto made = make_upstream_request(ctx, service, *attempt.by.url, request); !made) {
    attempt.error = made.error();
    co_return;
  }
  if (ctx.attempts == 1) ctx.first_sent = std::chrono::steady_clock::now();
  const TimePoint began = worker_.now();
  const Timeouts& timeouts = service.config.timeouts;
  ClientRequest outgoing(ctx, request, attempt);
  net::ClientWatch watch(ctx.client.socket());
  const Call call = {.service = service,
                     .url = *attempt.by.url,
                     .request = outgoing,
                     .client = &watch,
                     .connect_until = std::min(began + timeouts.connect, ctx.deadline),
                     .limits = {timeouts.first_byte, settings_.send_timeout, ctx.deadline,
                                harmless_twice(service.config, request), settings_.most_interim},
                     .head_method = ctx.head_method,
                     .replayable = request.replayable()};
  const CallResult called = co_await caller_.make(call, attempt.connection, attempt.answer);
  ctx.answered = worker_.now();
  if (called.not_connected) {
    attempt.fail_to_connect(*called.not_connected, worker_.now());
    co_return;
  }
  if (called.exchange.end != net::ExchangeEnd::kAnswered) {
    attempt.fail(ctx, called.exchange);
    co_return;
  }
  attempt.body.start(attempt.answer->head);
  // The rest of the request would look like the next one.
  if (!called.exchange.complete) attempt.connection.forbid_reuse();
  if (service.policy->observes_latency) attempt.lease.observe_latency(ctx.answered - began, ctx.answered);
  const Look look = look_wanted(ctx, attempt);
  if (look == Look::kNone) attempt.accept(worker_.now());
  if (look != Look::kNone) co_await judge_answer(ctx, attempt, look);
  ctx.answered = worker_.now();  // looking at it may have waited for more of it
}

Result<KeyLease> Attempts::take_key(RequestContext& ctx, const Target& target, RetryAdvice advice) const {
  const SelectRequest wanted = {.tried = target.tried(),
                                .model = ctx.model,
                                .affinity = ctx.affinity,
                                .home = ctx.at_home ? stable_hash(ctx.grant.fingerprint) : 0,
                                .tokens = ctx.tokens,
                                .others_only = wants_other_key(ctx, advice),
                                .trace = &ctx.trace.next_choice()};
  if (ctx.pinned) return take_pinned_key(*ctx.pinned, *target.service, wanted, worker_.now());
  return target.service->keys->select(wanted, worker_.now());
}

// The key that the last attempt used, if nothing was said against it.  Either it is the only one that may serve the
// request, and that attempt itself holds it; or no untried key is left, but a URL that may do better (D05: keys are
// distinct while there is one).
Result<KeyLease> Attempts::keep_key(const RequestContext& ctx, const Target& target, Attempt& last,
                                    Error refused) const {
  UpstreamSet* const upstreams = target.service->upstreams.get();
  const Verdict& verdict = last.facts.verdict;
  const bool only_one = refused.code == ErrorCode::kPinnedKeyUnavailable;
  const bool other_url = upstreams != nullptr && refused.code == ErrorCode::kAllKeysCooling &&
                         verdict.endpoint == EndpointEffect::kFail &&
                         upstreams->has_other(target.failed_urls, worker_.now());
  if (wants_other_key(ctx, verdict.retry) || verdict.key != KeyAction::kNone || !(only_one || other_url))
    return refused;
  if (!last.lease.renew(ctx.tokens, worker_.now())) return refused;
  return std::move(last.lease);
}

bool Attempts::worth_waiting(const RequestContext& ctx, const Target& target, const Error& refused) const {
  const auto longest = std::min(target.service->config.wait_for_key, kLongestWait);
  if (longest.count() <= 0 || ctx.attempts > 0 || !soon_over(refused)) return false;
  // retry_after is rounded up to whole seconds.
  return waiting_ < kMostWaiting && std::chrono::seconds(refused.retry_after - 1) < longest;
}

// The pool has no list of who waits: it is asked again and again, which keeps selection free of callbacks.
net::Task<Result<KeyLease>> Attempts::wait_for_key(RequestContext& ctx, const Target& target, Error refused) {
  const TimePoint end =
      std::min(worker_.now() + std::min(target.service->config.wait_for_key, kLongestWait), ctx.deadline);
  const CountUp counted(waiting_);
  net::ClientWatch watch(ctx.client.socket());
  Result<KeyLease> lease = std::move(refused);
  while (!lease && soon_over(lease.error()) && worker_.now() < end) {
    const TimePoint next = watch.until(std::min(worker_.now() + kLookAgain, end));
    const net::Watch client = watch.watch();
    net::WaitEnd woken = net::WaitEnd::kTimeout;
    if (client.socket != nullptr) woken = co_await net::wait_for(*client.socket, client.interest, next);
    if (client.socket == nullptr) woken = co_await net::sleep_until(worker_, next);
    if (woken == net::WaitEnd::kCancelled) co_return Error{ErrorCode::kShuttingDown, "the gateway is shutting down"};
    if (watch.gone()) co_return Error{ErrorCode::kClientGone, "the client left while it waited for a key"};
    lease = take_key(ctx, target, RetryAdvice::kReturn);
  }
  co_return lease;
}

}  // namespace akr
