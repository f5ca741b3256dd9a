#include "proxy/attempts.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "llm/rate_limit_hints.hpp"
#include "net/connector.hpp"
#include "proxy/headers.hpp"
#include "proxy/judge.hpp"

namespace akr {
namespace {

constexpr std::size_t kErrorBody = 64 * 1024;
constexpr std::chrono::seconds kErrorBodyWait{1};

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

}  // namespace

Attempts::Attempts(net::Worker& worker, net::UpstreamPool& pool, AttemptSettings settings)
    : worker_(worker), pool_(pool), settings_(std::move(settings)) {}

net::Task<Attempt> Attempts::run(RequestContext& ctx, PreparedRequest& request) {
  const Service& service = ctx.service().config;
  if (service.timeouts.total.count() > 0) ctx.deadline = ctx.started + service.timeouts.total;
  Attempt last;  // holds "no usable key" until a real attempt replaces it; relay() answers with whatever it holds
  RetryBudget budget(service.retry, request.idempotent, request.replayable(), ctx.started);
  while (budget.allows(last.facts, worker_.now())) {
    auto lease = ctx.service().keys->select({.tried = ctx.tried()}, worker_.now());
    if (!lease) {
      if (ctx.attempts == 0) last.error = lease.error();
      break;  // pool exhausted: the client gets the last real answer
    }
    budget.count_attempt();
    Attempt next;
    next.lease = *std::move(lease);
    ctx.tried_keys.at(static_cast<std::size_t>(ctx.attempts++)) = next.lease.key().id;
    ctx.key_fingerprint = next.lease.key().fingerprint;
    last = std::move(next);
    co_await send_once(ctx, request, last);
    ctx.outcome = last.facts.verdict.reason;
    last.lease.report(last.facts.verdict, worker_.now());
  }
  if (!last.error) last.error = refused_credentials(ctx, last.facts, last.error_body);
  co_return std::move(last);
}

net::Task<void> Attempts::send_once(RequestContext& ctx, PreparedRequest& request, Attempt& attempt) {
  const RoutedService& service = ctx.service();
  const std::string from_env =
      settings_.env_proxy && service.config.egress_proxy.empty() ? settings_.env_proxy(service.url) : std::string();
  const std::string& proxy = from_env.empty() ? service.config.egress_proxy : from_env;
  const net::UpstreamOrigin origin = {.tls = service.url.origin.tls, .host = service.url.origin.host,
                                      .port = service.url.origin.port, .proxy_key = proxy};
  if (ctx.attempts == 1) ctx.first_sent = std::chrono::steady_clock::now();
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
  if (attempt.answer->head.status() >= 400) co_await read_error_body(attempt);
  judge_answer(ctx, attempt);
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

// The beginning of an error's body tells what the status does not; it waits here until it has been judged.
net::Task<void> Attempts::read_error_body(Attempt& attempt) {
  const TimePoint deadline = worker_.now() + kErrorBodyWait;
  net::MessageSlot& slot = *attempt.answer;
  net::Buffer more;
  std::string_view input = slot.unread();
  for (;;) {
    std::string_view data;
    const auto event = attempt.body.next(input, data);
    if (!more) slot.begin = slot.end - input.size();
    if (event == net::BodyDecoder::Event::kData) attempt.error_body += data;
    if (event == net::BodyDecoder::Event::kEnd || event == net::BodyDecoder::Event::kError) break;
    if (event == net::BodyDecoder::Event::kData || !input.empty()) continue;
    if (attempt.error_body.size() >= kErrorBody) break;
    if (!more) more = net::Buffer::lease(net::Buffer::kMedium);
    const net::IoResult result =
        co_await net::read_some(attempt.connection.stream(), more.data(), more.capacity(), deadline);
    if (result.status == net::IoStatus::kEof) attempt.body.end_of_stream();
    if (result.status != net::IoStatus::kOk) break;
    input = {more.data(), result.bytes};
  }
  // Bytes behind the body's end: nothing that another request should meet.
  if (!input.empty()) attempt.connection.forbid_reuse();
}

void Attempts::judge_failure(RequestContext& ctx, const net::ExchangeResult& result, Attempt& attempt) {
  attempt.connection.release();
  attempt.answer.reset();
  attempt.error = describe_exchange(ctx, result);
  attempt.facts.progress = result.sent == 0 || result.never_arrived ? SendProgress::kNothingSent : SendProgress::kSent;
  attempt.facts.verdict = classify({.end = end_of(result.end)});
}

void Attempts::judge_answer(RequestContext& ctx, Attempt& attempt) {
  const net::MessageHead& head = attempt.answer->head;
  attempt.facts.status = head.status();
  attempt.facts.progress = SendProgress::kAnswered;
  if (head.status() < 400) {
    attempt.facts.verdict = classify({.status = head.status()});
    return;
  }
  attempt.facts.verdict = classify(understand(ctx, head, attempt.error_body));
  mask_key(attempt.lease.key().secret.expose(), attempt.error_body);
}

}  // namespace akr
