#include "proxy/attempts.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "net/connector.hpp"
#include "proxy/headers.hpp"
#include "proxy/judge.hpp"

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

// May this request go out again on a fresh connection after a reused one turned out dead (D39)?  Yes if the upstream
// cannot have seen it, or if doing it twice is harmless or allowed.
bool stale_retry_allowed(const RequestContext& ctx, const PreparedRequest& request, const net::ExchangeResult& result) {
  if (result.end != net::ExchangeEnd::kClosed || result.any_answer || !request.replayable()) return false;
  return result.never_arrived || request.idempotent || ctx.service().config.retry.retry_non_idempotent;
}

// The connection of an attempt whose answer nobody will read is still good if the answer is complete.
void give_back(Attempt& attempt) {
  if (!attempt.answer || !attempt.body.finished()) return;
  if (attempt.answer->head.keep_alive() && attempt.answer->unread().empty()) attempt.connection.mark_reusable();
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

Attempts::Attempts(net::Worker& worker, net::UpstreamPool& pool, AttemptSettings settings)
    : worker_(worker), pool_(pool), settings_(std::move(settings)) {}

net::Task<Attempt> Attempts::run(RequestContext& ctx, PreparedRequest& request) {
  const Service& service = ctx.service().config;
  if (service.timeouts.total.count() > 0) ctx.deadline = ctx.started + service.timeouts.total;
  Attempt last;  // holds "no usable key" until a real attempt replaces it; relay() answers with whatever it holds
  RetryBudget budget(service.retry, request.idempotent, request.replayable(), ctx.started);
  while (budget.allows(last.facts, worker_.now())) {
    auto lease = take_key(ctx);
    if (!lease && worth_waiting(ctx, lease.error())) lease = co_await wait_for_key(ctx, lease.error());
    if (!lease) {
      ctx.trace.found_nobody(lease.error().code);
      if (ctx.attempts == 0) last.error = lease.error();
      break;  // pool exhausted: the client gets the last real answer
    }
    ctx.trace.took(lease->key().fingerprint);
    give_back(last);
    budget.count_attempt();
    if (ctx.attempts > 0) last = Attempt();
    last.lease = *std::move(lease);
    ctx.tried_keys.at(static_cast<std::size_t>(ctx.attempts++)) = last.lease.key().id;
    ctx.key_fingerprint = last.lease.key().fingerprint;
    co_await send_once(ctx, request, last);
    ctx.outcome = last.facts.verdict.reason;
    last.lease.report(last.facts.verdict, worker_.now());
    // As it came: an error inside a 200 shows in the outcome.
    const int status = last.answer ? last.answer->head.status() : last.facts.status;
    ctx.trace.ended(status, last.facts.verdict, last.rule);
  }
  if (!last.error) last.error = refused_credentials(ctx, last.facts, last.held);
  co_return std::move(last);
}

net::Task<void> Attempts::send_once(RequestContext& ctx, PreparedRequest& request, Attempt& attempt) {
  const RoutedService& service = ctx.service();
  const std::string from_env =
      settings_.env_proxy && service.config.egress_proxy.empty() ? settings_.env_proxy(service.url) : std::string();
  const std::string& proxy = from_env.empty() ? service.config.egress_proxy : from_env;
  const net::UpstreamOrigin origin = {.tls = service.url.origin.tls,
                                      .host = service.url.origin.host,
                                      .port = service.url.origin.port,
                                      .proxy_key = proxy};
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
  const bool plain = attempt.answer->head.status() < 400 && ctx.format == nullptr && ctx.service().rules == nullptr;
  if (!plain) co_await judge_answer(ctx, attempt);
  if (plain) accept(ctx, attempt);
}

Result<KeyLease> Attempts::take_key(RequestContext& ctx) {
  const SelectRequest wanted = {
      .tried = ctx.tried(), .model = ctx.model, .affinity = ctx.affinity, .trace = &ctx.trace.next_choice()};
  return ctx.service().keys->select(wanted, worker_.now());
}

bool Attempts::worth_waiting(const RequestContext& ctx, const Error& refused) const {
  const auto longest = std::min(ctx.service().config.wait_for_key, kLongestWait);
  if (longest.count() <= 0 || ctx.attempts > 0 || refused.code != ErrorCode::kAllKeysCooling) return false;
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
  while (!lease && lease.error().code == ErrorCode::kAllKeysCooling && worker_.now() < end) {
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
  const net::ExchangeLimits limits = {timeouts.first_byte, settings_.send_timeout, ctx.deadline};
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
  if (ctx.format == nullptr || attempt.facts.verdict.key != KeyAction::kGood) return;
  if (const auto wait = nothing_left(attempt.answer->head)) attempt.lease.observe_remaining(0, *wait, worker_.now());
}

void Attempts::settle(Attempt& attempt, Judgement judgement) {
  attempt.facts.status = judgement.status;
  attempt.facts.progress = SendProgress::kAnswered;
  attempt.facts.verdict = judgement.verdict;
  attempt.rule = judgement.rule;
  const std::string_view key = attempt.lease.key().secret.expose();
  mask_key(key, attempt.held);
  if (judgement.verdict.key == KeyAction::kNone || judgement.verdict.key == KeyAction::kGood) return;
  mask_key(key, judgement.message);
  attempt.lease.note_failure(judgement.status, judgement.message);
}

}  // namespace akr
