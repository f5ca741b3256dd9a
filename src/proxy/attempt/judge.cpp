#include "proxy/attempt/judge.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include "base/strings.hpp"
#include "base/utf8.hpp"
#include "llm/rate_limit_hints.hpp"

namespace akr {
namespace {

struct HeaderList {
  explicit HeaderList(const net::MessageHead& head) : count(head.field_count()) {
    for (std::size_t i = 0; i < count; ++i) {
      const net::Field field = head.field(i);
      views[i] = {field.name, field.value};
    }
  }
  std::span<const HeaderView> span() const { return {views.data(), count}; }
  std::array<HeaderView, net::kMaxFields> views;
  std::size_t count;
};

std::string seconds_text(std::chrono::milliseconds value) {
  return value.count() % 1000 == 0 ? std::to_string(value.count() / 1000) + " s"
                                   : std::to_string(value.count()) + " ms";
}

Error timer_error(std::string_view timer, std::chrono::milliseconds value) {
  return {ErrorCode::kUpstreamTimeout, "the upstream did not answer in time: timer '" + std::string(timer) + "' of " +
                                           seconds_text(value) + " fired"};
}

constexpr std::size_t kMessageOfRest = 300;

// Only what holds the dialect's word for it is read.
bool may_hold_error(const RequestContext& ctx, std::string_view text) {
  const std::string_view word = ctx.upstream_speaks.dialect->error_clue();
  return ::memmem(text.data(), text.size(), word.data(), word.size()) != nullptr;
}

std::optional<Judgement> judge_by_rules(const RequestContext& ctx, const net::MessageHead& answer,
                                        std::string_view body) {
  const FailureRules* const rules = ctx.service().rules.get();
  if (rules == nullptr) return std::nullopt;
  const auto hint = retry_hint(HeaderList(answer).span(), system_clock().wall());
  const auto match = rules->match(answer.status(), body, hint);
  if (!match) return std::nullopt;
  return Judgement{.verdict = match->verdict,
                   .status = answer.status(),
                   .rule = static_cast<int>(match->index),
                   .message = std::string(cut_utf8(body, kMessageOfRest))};
}

UpstreamFailure in_core_words(const ErrorDetail& detail) {
  return {.status = detail.status,
          .kind = detail.kind,
          .retry_after = detail.retry_after,
          .retry_from = detail.retry_from,
          .code = detail.code};
}

Judgement of_detail(ErrorDetail detail) {
  return {.verdict = classify(in_core_words(detail)), .status = detail.status, .message = std::move(detail.message)};
}

}  // namespace

UpstreamFailure understand(const RequestContext& ctx, const net::MessageHead& answer, std::string_view body,
                           std::string* words) {
  const HeaderList headers(answer);
  const WallTime now = system_clock().wall();
  if (!ctx.upstream_speaks) {
    if (words != nullptr) *words = cut_utf8(body, kMessageOfRest);
    return {.status = answer.status(), .retry_after = retry_hint(headers.span(), now)};
  }
  ErrorDetail detail = ctx.upstream_speaks.parse_error({answer.status(), headers.span(), body, now});
  if (words != nullptr) *words = std::move(detail.message);
  return in_core_words(detail);
}

Judgement judge_error(const RequestContext& ctx, const net::MessageHead& answer, std::string_view body) {
  if (auto ruled = judge_by_rules(ctx, answer, body)) return *std::move(ruled);
  Judgement judgement{.status = answer.status()};
  judgement.verdict = classify(understand(ctx, answer, body, &judgement.message));
  return judgement;
}

std::optional<Judgement> judge_success(const RequestContext& ctx, const net::MessageHead& answer,
                                       std::string_view body) {
  if (auto ruled = judge_by_rules(ctx, answer, body)) return ruled;
  if (!ctx.upstream_speaks || !may_hold_error(ctx, body)) return std::nullopt;
  const HeaderList headers(answer);
  auto detail = ctx.upstream_speaks.error_in_success({answer.status(), headers.span(), body, system_clock().wall()});
  if (!detail) return std::nullopt;
  return of_detail(*std::move(detail));
}

std::optional<Judgement> judge_event(const RequestContext& ctx, const net::MessageHead& answer,
                                     const SseEventView& event) {
  if (auto ruled = judge_by_rules(ctx, answer, event.data)) return ruled;
  if (event.event != "error" && !may_hold_error(ctx, event.data)) return std::nullopt;
  const WallTime now = system_clock().wall();
  auto detail = ctx.upstream_speaks.error_in_event(event, now);
  if (!detail) return std::nullopt;
  const bool told = detail->retry_after && detail->retry_from == WaitSource::kProvider;
  if (const auto hint = told ? std::nullopt : retry_hint(HeaderList(answer).span(), now)) {
    detail->retry_after = hint;
    detail->retry_from = WaitSource::kProvider;
  }
  return of_detail(*std::move(detail));
}

std::optional<Duration> nothing_left(const net::MessageHead& answer) {
  const HeaderList headers(answer);
  return empty_bucket_reset(headers.span(), system_clock().wall());
}

void judge_connect(const Error& error, AttemptFacts& facts) {
  AttemptEnd end = AttemptEnd::kConnect;
  if (error.code == ErrorCode::kUpstreamUnresolved) end = AttemptEnd::kDns;
  if (error.code == ErrorCode::kUpstreamTls) end = AttemptEnd::kTls;
  if (error.code == ErrorCode::kEgressProxy) end = AttemptEnd::kEgressProxy;
  // Our own end, or our own shortage: neither key nor URL is to blame.
  if (error.code == ErrorCode::kShuttingDown || error.code == ErrorCode::kOverloaded) end = AttemptEnd::kGateway;
  facts.verdict = classify({.end = end});
  facts.progress = SendProgress::kNothingSent;
}

AttemptEnd end_of(net::ExchangeEnd end) {
  switch (end) {
    case net::ExchangeEnd::kAnswered:
      return AttemptEnd::kAnswered;
    case net::ExchangeEnd::kClosed:
      return AttemptEnd::kClosedBeforeHead;
    case net::ExchangeEnd::kFirstByte:
    case net::ExchangeEnd::kSend:
      return AttemptEnd::kFirstByteTimeout;
    case net::ExchangeEnd::kTotal:
      return AttemptEnd::kTotalTimeout;
    case net::ExchangeEnd::kProtocol:
      return AttemptEnd::kProtocol;
    case net::ExchangeEnd::kClientGone:
    case net::ExchangeEnd::kClientBody:
      return AttemptEnd::kClientGone;
    case net::ExchangeEnd::kCancelled:
      return AttemptEnd::kGateway;
  }
  return AttemptEnd::kGateway;
}

Error describe_exchange(const RequestContext& ctx, const net::ExchangeResult& result) {
  const Timeouts& timeouts = ctx.service().config.timeouts;
  switch (result.end) {
    case net::ExchangeEnd::kFirstByte:
      return timer_error("first_byte", timeouts.first_byte);
    case net::ExchangeEnd::kTotal:
      return timer_error("total", ctx.total);
    case net::ExchangeEnd::kSend:
      return {ErrorCode::kUpstreamTimeout, "the upstream stopped reading the request: timer 'send' fired"};
    case net::ExchangeEnd::kClosed:
      return {ErrorCode::kUpstreamClosed, "the upstream closed the connection before it answered"};
    case net::ExchangeEnd::kProtocol:
      if (result.error == E2BIG)
        return {ErrorCode::kUpstreamProtocol,
                "the upstream sent more interim (1xx) answers than UPSTREAM_MAX_INTERIM allows, and no final one"};
      return {ErrorCode::kUpstreamProtocol, "the upstream's answer is not valid HTTP/1.1"};
    case net::ExchangeEnd::kClientBody:
      return ctx.client.body_error(result.error);
    case net::ExchangeEnd::kClientGone:
      return {ErrorCode::kClientGone, "the client left before the answer"};
    case net::ExchangeEnd::kCancelled:
      return {ErrorCode::kShuttingDown, "the gateway is shutting down"};
    case net::ExchangeEnd::kAnswered:
      break;
  }
  return {ErrorCode::kInternal, "unexpected end of an exchange"};
}

std::optional<Error> refused_credentials(const RequestContext& ctx, const AttemptFacts& last, std::string_view body) {
  if (last.status == 0 || last.verdict.retry != RetryAdvice::kNextKey) return std::nullopt;
  switch (last.verdict.key) {
    case KeyAction::kSuspect:
    case KeyAction::kForbid:
    case KeyAction::kInvalidate:
      break;
    case KeyAction::kExhaust:
      if (last.status == 429) return std::nullopt;  // the provider's own words serve the client better (D06 d)
      break;
    case KeyAction::kNone:
    case KeyAction::kGood:
    case KeyAction::kCool:
      return std::nullopt;
  }
  std::string message = "every upstream key that was tried was refused; the last answer was " +
                        std::to_string(last.status) + " (" + std::string(last.verdict.reason) + ")";
  if (ctx.upstream_speaks && !body.empty()) {
    const ErrorDetail detail = ctx.upstream_speaks.parse_error({last.status, {}, body, system_clock().wall()});
    if (!detail.message.empty()) message += ": " + std::string(cut_utf8(detail.message, kMessageOfRest));
  }
  return Error{ErrorCode::kCredentialsExhausted, message};
}

}  // namespace akr
