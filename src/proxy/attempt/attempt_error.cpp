#include "proxy/attempt/attempt_error.hpp"

#include <cerrno>

#include "base/utf8.hpp"
#include "proxy/request/prepare.hpp"

namespace akr {
namespace {

constexpr std::size_t kLongestWords = 300;

std::string seconds_text(std::chrono::milliseconds value) {
  return value.count() % 1000 == 0 ? std::to_string(value.count() / 1000) + " s"
                                   : std::to_string(value.count()) + " ms";
}

Error timer_error(std::string_view timer, std::chrono::milliseconds value) {
  return {ErrorCode::kUpstreamTimeout, "the upstream did not answer in time: timer '" + std::string(timer) + "' of " +
                                           seconds_text(value) + " fired"};
}

}  // namespace

Error describe_exchange(const RequestContext& ctx, const Service& service, const net::ExchangeResult& result) {
  const Timeouts& timeouts = service.timeouts;
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
      if (result.error == EFBIG) return body_too_large(ctx.body_limit);
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

std::optional<Error> refused_credentials(const ServedBy& by, const AttemptFacts& last, std::string_view body) {
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
  if (by.speaks && !body.empty()) {
    const ErrorDetail detail = by.speaks.parse_error({last.status, {}, body, system_clock().wall()});
    if (!detail.message.empty()) message += ": " + std::string(cut_utf8(detail.message, kLongestWords));
  }
  return Error{ErrorCode::kCredentialsExhausted, message};
}

}  // namespace akr
