#include "proxy/attempt/attempts.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "core/mask/key_mask.hpp"
#include "net/client/connector.hpp"
#include "proxy/attempt/fallback.hpp"
#include "proxy/attempt/judge.hpp"
#include "proxy/attempt/soonest_end.hpp"
#include "proxy/attempt/upstream_health.hpp"
#include "proxy/request/headers.hpp"
#include "proxy/request/pins.hpp"

namespace akr {
namespace {

constexpr int kMostWaiting = 1000;  // per worker
constexpr std::chrono::milliseconds kLongestWait{10'000};
constexpr std::chrono::milliseconds kLookAgain{20};

// The head of the attempt in flight.  Holds a key for as long as it takes to hand it to the socket; one per thread, so
// that no request allocates for it.
std::string& head_text() {
  thread_local std::string text;
  text.clear();
  return text;
}

bool harmless_twice(const RequestContext& ctx, const PreparedRequest& request) {
  return request.replayable() && (request.idempotent || ctx.service().config.retry.retry_non_idempotent);
}

// May this request go out again on a fresh connection after a reused one turned out dead (D39)?  Yes if the upstream
// cannot have seen it, or if doing it twice is harmless or allowed.
bool stale_retry_allowed(const RequestContext& ctx, const PreparedRequest& request, const net::ExchangeResult& result) {
  if (result.end != net::ExchangeEnd::kClosed || result.any_answer || !request.replayable()) return false;
  return result.never_arrived || harmless_twice(ctx, request);
}

net::UpstreamOrigin origin_of(const UpstreamUrl& url, std::string_view proxy) {
  return {.tls = url.origin.tls, .host = url.origin.host, .port = url.origin.port, .proxy_key = proxy};
}

// Another try with another key is no use to a request that is bound to one.
bool wants_other_key(const RequestContext& ctx, const Attempt& last) {
  return ctx.pinned && ctx.attempts > 0 && last.facts.verdict.retry == RetryAdvice::kNextKey;
}

bool soon_over(const Error& refused) {
  return refused.code == ErrorCode::kAllKeysCooling ||
         (refused.code == ErrorCode::kPinnedKeyUnavailable && refused.retry_after > 0);
}

// What was refused, or never arrived, cost no tokens.
void forget_estimate(Attempt& attempt, TimePoint now) {
  if (attempt.lease.counts_tokens()) attempt.lease.count_tokens(0, now);
}

class CountUp {
 public:
  explicit CountUp(int& counter) : counter_(counter) { ++counter_; }
  CountUp(const CountUp&) = delete;
  CountUp& operator=(const CountUp&) = delete;
  ~CountUp() { --counter_; }

 private:
  int& counter_;
};

}  // namespace

void Attempt::give_back() {
  if (!answer || !body.finished()) return;
  if (answer->head.keep_alive() && answer->unread().empty()) connection.mark_reusable();
}

Attempts::Attempts(net::Worker& worker, net::UpstreamPool& pool, AttemptSettings settings)
    : worker_(worker), pool_(pool), settings_(std::move(settings)) {}

net::Task<Attempt> Attempts::run(RequestContext& ctx, PreparedRequest& request) {
  ctx.limit_total(ctx.started);
  Fallbacks fallbacks(ctx, request);
  fallbacks.start();
  Attempt last;  // holds "no usable key" until a real attempt replaces it; relay() answers with whatever it holds
  for (;;) {     // one service after the other
    RetryBudget budget = fallbacks.budget();
    while (budget.allows(last.facts, worker_.now()) && !wants_other_key(ctx, last)) {
      auto lease = take_key(ctx);
      if (!lease && !fallbacks.any() && worth_waiting(ctx, lease.error()))
        lease = co_await wait_for_key(ctx, lease.error());
      if (!lease && keep_key(ctx, last, lease.error())) lease = std::move(last.lease);
      if (!lease) {
        ctx.trace.found_nobody(lease.error().code);
        if (budget.attempts() == 0) last.error = lease.error();
        break;  // pool exhausted: the client gets the last real answer
      }
      budget.count_attempt();
      begin(ctx, last, *std::move(lease));
      co_await send_once(ctx, request, last);
      end(ctx, request, last);
    }
    if (!last.error && last.facts.verdict.retry == RetryAdvice::kNextKey)
      last.error = refused_credentials(ctx, last.facts, last.legible());
    if (!fallbacks.move_on(budget, last, worker_.now())) break;
  }
  fallbacks.settle(last);
  name_soonest_end(ctx, last, worker_.now());
  if (ctx.pinned) explain_refusal(last.facts.verdict, last.error);
  co_return std::move(last);
}

void Attempts::begin(RequestContext& ctx, Attempt& attempt, KeyLease lease) {
  ctx.trace.took(lease.key().fingerprint);
  attempt.give_back();
  if (ctx.attempts > 0) attempt = Attempt();
  attempt.lease = std::move(lease);
  ++ctx.attempts;
  ctx.tried_keys.at(static_cast<std::size_t>(ctx.tried_count++)) = attempt.lease.key().id;
  ctx.key_fingerprint = attempt.lease.key().fingerprint;
  if (!ctx.service().upstreams) return;
  attempt.upstream = ctx.service().upstreams->select(ctx.failed_upstreams, worker_.now());
  ctx.upstream = &attempt.upstream.url();
  ctx.trace.goes_to(attempt.upstream.index(), *ctx.upstream);
}

void Attempts::end(RequestContext& ctx, const PreparedRequest& request, Attempt& attempt) {
  const Verdict& verdict = attempt.facts.verdict;
  // An upload's bytes are gone even if the upstream got none of them.
  if (request.upload.begun() && attempt.facts.progress == SendProgress::kNothingSent)
    attempt.facts.progress = SendProgress::kSent;
  ctx.outcome = verdict.reason;
  attempt.lease.report(verdict, worker_.now());
  if (attempt.upstream) {
    if (verdict.endpoint == EndpointEffect::kFail) ctx.failed_upstreams |= UpstreamMask{1} << attempt.upstream.index();
    report_upstream(ctx.service(), attempt.upstream, verdict.endpoint, worker_.now());
  }
  // As it came: an error inside a 200 shows in the outcome.
  const int status = attempt.answer ? attempt.answer->head.status() : attempt.facts.status;
  ctx.trace.ended(status, verdict, attempt.rule);
}

net::Task<void> Attempts::send_once(RequestContext& ctx, PreparedRequest& request, Attempt& attempt) {
  if (auto joined = join_again(ctx, request); !joined) {
    attempt.error = joined.error();
    co_return;
  }
  const Service& service = ctx.service().config;
  const UpstreamUrl& url = ctx.upstream_url();
  const bool ask_environment = settings_.env_proxy && service.egress_proxy.empty();
  const std::string from_env = ask_environment ? settings_.env_proxy(url) : std::string();
  const net::UpstreamOrigin origin = origin_of(url, from_env.empty() ? service.egress_proxy : from_env);
  if (ctx.attempts == 1) ctx.first_sent = std::chrono::steady_clock::now();
  const TimePoint began = worker_.now();
  net::ExchangeResult result;
  bool answered = false;
  if (pool_.take_idle(origin, attempt.connection)) {
    result = co_await send_on(ctx, request, attempt);
    answered = !stale_retry_allowed(ctx, request, result);
  }
  if (!answered) {
    const auto connected = co_await connect(ctx, origin, attempt);
    if (!connected) {
      judge_connect(connected.error(), attempt.facts);
      forget_estimate(attempt, worker_.now());
      attempt.error = connected.error();
      co_return;
    }
    result = co_await send_on(ctx, request, attempt);
  }
  ctx.answered = worker_.now();
  if (result.end != net::ExchangeEnd::kAnswered) {
    judge_failure(ctx, result, attempt);
    co_return;
  }
  attempt.body.start(attempt.answer->head);
  if (!result.complete) attempt.connection.forbid_reuse();  // the rest of the request would look like the next one
  if (ctx.service().config.selection_policy == "latency")
    attempt.lease.observe_latency(ctx.answered - began, ctx.answered);
  const bool plain = attempt.answer->head.status() < 400 && !ctx.upstream_speaks && ctx.service().rules == nullptr;
  if (!plain) co_await judge_answer(ctx, attempt);
  if (plain) accept(ctx, attempt);
}

Result<KeyLease> Attempts::take_key(RequestContext& ctx) {
  const SelectRequest wanted = {.tried = ctx.tried(),
                                .model = ctx.model,
                                .affinity = ctx.affinity,
                                .tokens = ctx.tokens,
                                .trace = &ctx.trace.next_choice()};
  if (ctx.pinned) return take_pinned_key(ctx, wanted, worker_.now());
  return ctx.service().keys->select(wanted, worker_.now());
}

// The key that the last attempt used, if nothing was said against it.  Either it is the only one that may serve the
// request, and that attempt itself holds it; or no untried key is left, but a URL that may do better (D05: keys are
// distinct while there is one).
bool Attempts::keep_key(const RequestContext& ctx, Attempt& last, const Error& refused) {
  UpstreamSet* const upstreams = ctx.service().upstreams.get();
  const Verdict& verdict = last.facts.verdict;
  if (verdict.key != KeyAction::kNone) return false;
  if (refused.code == ErrorCode::kPinnedKeyUnavailable) return last.lease.renew(ctx.tokens, worker_.now());
  if (upstreams == nullptr || refused.code != ErrorCode::kAllKeysCooling) return false;
  if (verdict.endpoint != EndpointEffect::kFail) return false;
  return upstreams->has_other(ctx.failed_upstreams, worker_.now()) && last.lease.renew(ctx.tokens, worker_.now());
}

bool Attempts::worth_waiting(const RequestContext& ctx, const Error& refused) const {
  const auto longest = std::min(ctx.service().config.wait_for_key, kLongestWait);
  if (longest.count() <= 0 || ctx.attempts > 0 || !soon_over(refused)) return false;
  // retry_after is rounded up to whole seconds.
  return waiting_ < kMostWaiting && std::chrono::seconds(refused.retry_after - 1) < longest;
}

// The pool has no list of who waits: it is asked again and again, which keeps selection free of callbacks.
net::Task<Result<KeyLease>> Attempts::wait_for_key(RequestContext& ctx, Error refused) {
  const TimePoint end =
      std::min(worker_.now() + std::min(ctx.service().config.wait_for_key, kLongestWait), ctx.deadline);
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
    lease = take_key(ctx);
  }
  co_return lease;
}

net::Task<net::ExchangeResult> Attempts::send_on(RequestContext& ctx, PreparedRequest& request, Attempt& attempt) {
  request.body.rewind();
  attempt.answer.reset();
  std::string& head = head_text();
  compose_request_head(ctx, request, attempt.lease.key(), head);
  net::BodySource* source = nullptr;
  if (request.streams_upload) {
    source = &request.upload;
  } else if (request.body.size() > 0) {
    source = &request.body;
  }
  const Timeouts& timeouts = ctx.service().config.timeouts;
  const net::ExchangeLimits limits = {timeouts.first_byte, settings_.send_timeout, ctx.deadline,
                                      harmless_twice(ctx, request), settings_.most_interim};
  net::ClientWatch watch(ctx.client.socket());
  const net::ExchangeRequest exchange = {head, source, ctx.head_method, limits};
  co_return co_await net::exchange(attempt.connection, exchange, watch, attempt.answer);
}

net::Task<Result<void>> Attempts::connect(const RequestContext& ctx, net::UpstreamOrigin origin, Attempt& attempt) {
  const TimePoint deadline = std::min(worker_.now() + ctx.service().config.timeouts.connect, ctx.deadline);
  net::EgressProxy proxy;
  if (!origin.proxy_key.empty()) {
    auto parsed = net::parse_egress_proxy(origin.proxy_key);
    if (!parsed) co_return parsed.error();
    proxy = *std::move(parsed);
    origin.proxy = &proxy;
  }
  auto opened = co_await pool_.open(origin, deadline);
  if (!opened) co_return opened.error();
  attempt.connection = *std::move(opened);
  co_return Result<void>();
}

void Attempts::judge_failure(RequestContext& ctx, const net::ExchangeResult& result, Attempt& attempt) {
  attempt.connection.release();
  attempt.answer.reset();
  attempt.error = describe_exchange(ctx, result);
  attempt.facts.progress = result.sent == 0 || result.never_arrived ? SendProgress::kNothingSent : SendProgress::kSent;
  attempt.facts.verdict = classify({.end = end_of(result.end)});
}

void Attempts::accept(RequestContext& ctx, Attempt& attempt) {
  attempt.facts.status = attempt.answer->head.status();
  attempt.facts.progress = SendProgress::kAnswered;
  attempt.facts.verdict = classify({.status = attempt.facts.status});
  if (!ctx.upstream_speaks || attempt.facts.verdict.key != KeyAction::kGood) return;
  if (const auto wait = nothing_left(attempt.answer->head)) attempt.lease.observe_remaining(0, *wait, worker_.now());
}

void Attempts::settle(Attempt& attempt, Judgement judgement) {
  if (judgement.status >= 400) forget_estimate(attempt, worker_.now());
  attempt.facts.status = judgement.status;
  attempt.facts.progress = SendProgress::kAnswered;
  attempt.facts.verdict = judgement.verdict;
  attempt.rule = judgement.rule;
  attempt.failed = true;
  if (judgement.verdict.key == KeyAction::kNone || judgement.verdict.key == KeyAction::kGood) return;
  // The message may be an extract that ends inside of the key.
  KeyMask(attempt.lease.key().secret.expose()).mask(judgement.message, KeyMask::End::kCut);
  attempt.lease.note_failure(judgement.status, judgement.message);
}

}  // namespace akr
