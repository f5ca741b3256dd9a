#include "upstream/judge.hpp"

#include <array>
#include <cstring>

#include "base/strings.hpp"
#include "base/utf8.hpp"
#include "core/outcome/one_operation.hpp"
#include "llm/common_errors.hpp"
#include "llm/error_hints.hpp"
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

constexpr std::size_t kMessageOfRest = 300;

UpstreamFailure in_core_words(const ErrorDetail& detail) {
  return {.status = detail.status,
          .kind = detail.kind,
          .retry_after = detail.retry_after,
          .retry_from = detail.retry_from,
          .code = detail.code};
}

}  // namespace

// Only what holds the dialect's word for it is read.
bool Judge::may_hold_error(std::string_view text) const {
  const std::string_view word = upstream_.dialect->error_clue();
  return ::memmem(text.data(), text.size(), word.data(), word.size()) != nullptr;
}

std::optional<Judgement> Judge::by_rules(const net::MessageHead& answer, std::string_view body) const {
  if (rules_ == nullptr) return std::nullopt;
  auto match = rules_->match(answer.status(), body, std::nullopt);
  if (!match) return std::nullopt;
  const bool asks_for_hint = match->verdict.key != KeyAction::kNone && !match->verdict.cool_for;
  if (asks_for_hint) {
    const HeaderList headers(answer);
    const auto hint = limit_hint(headers.span(), body, system_clock().wall());
    if (hint) match = rules_->match(answer.status(), body, hint);
  }
  return Judgement{.verdict = match->verdict,
                   .status = answer.status(),
                   .rule = static_cast<int>(match->index),
                   .message = std::string(cut_utf8(body, kMessageOfRest))};
}

// Of REST services, where all operations are alike, only what names a permission is about one of them.
Verdict Judge::verdict_of(const UpstreamFailure& failure) const {
  const Verdict verdict = classify(failure);
  const bool known = upstream_ || failure.kind == FailureKind::kPermission;
  return known && !asked_.model ? for_one_operation(failure, verdict) : verdict;
}

Judgement Judge::of_detail(ErrorDetail detail) const {
  return {.verdict = verdict_of(in_core_words(detail)), .status = detail.status, .message = std::move(detail.message)};
}

ErrorDetail Judge::detail_of(const net::MessageHead& answer, std::string_view body) const {
  const HeaderList headers(answer);
  const ErrorAnswer told = {answer.status(), headers.span(), body, system_clock().wall()};
  if (upstream_) return upstream_.parse_error(told);
  ErrorDetail detail = explain_unknown(told);
  detail.message = cut_utf8(body, kMessageOfRest);
  return detail;
}

UpstreamFailure Judge::understand(const net::MessageHead& answer, std::string_view body) const {
  return in_core_words(detail_of(answer, body));
}

Judgement Judge::error(const net::MessageHead& answer, std::string_view body) const {
  if (auto ruled = by_rules(answer, body)) return *std::move(ruled);
  Judgement judgement = of_detail(detail_of(answer, body));
  judgement.status = answer.status();
  return judgement;
}

std::optional<Judgement> Judge::success(const net::MessageHead& answer, std::string_view body) const {
  if (auto ruled = by_rules(answer, body)) return ruled;
  if (!upstream_ || !asked_.at_once || !may_hold_error(body)) return std::nullopt;
  const HeaderList headers(answer);
  auto detail = upstream_.error_in_success({answer.status(), headers.span(), body, system_clock().wall()});
  if (!detail) return std::nullopt;
  return of_detail(*std::move(detail));
}

std::optional<Judgement> Judge::event(const net::MessageHead& answer, const SseEventView& event) const {
  if (auto ruled = by_rules(answer, event.data)) return ruled;
  if (!asked_.at_once || (event.event != "error" && !may_hold_error(event.data))) return std::nullopt;
  const WallTime now = system_clock().wall();
  auto detail = upstream_.error_in_event(event, now);
  if (!detail) return std::nullopt;
  const bool told = detail->retry_after && detail->retry_from == WaitSource::kProvider;
  if (const auto hint = told ? std::nullopt : retry_hint(HeaderList(answer).span(), now)) {
    detail->retry_after = hint;
    detail->retry_from = WaitSource::kProvider;
  }
  return of_detail(*std::move(detail));
}

Judgement Judge::answer(const net::MessageHead& answer, std::string_view body) const {
  if (answer.status() >= 400) return error(answer, body);
  if (answer.status() < 300) {
    if (auto bad = success(answer, body)) return *std::move(bad);
  }
  return {.verdict = classify({.status = answer.status()}), .status = answer.status()};
}

std::optional<Duration> nothing_left(const net::MessageHead& answer) {
  bool worth_a_look = false;
  for (std::size_t i = 0; i < answer.field_count() && !worth_a_look; ++i) {
    if (answer.id_of(i) != net::FieldId::kOther) continue;
    const net::Field field = answer.field(i);
    worth_a_look = may_be_empty(field.name, field.value);
  }
  if (!worth_a_look) return std::nullopt;
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

ErrorCode error_of(net::ExchangeEnd end) {
  switch (end) {
    case net::ExchangeEnd::kFirstByte:
    case net::ExchangeEnd::kTotal:
    case net::ExchangeEnd::kSend:
      return ErrorCode::kUpstreamTimeout;
    case net::ExchangeEnd::kClosed:
      return ErrorCode::kUpstreamClosed;
    case net::ExchangeEnd::kProtocol:
      return ErrorCode::kUpstreamProtocol;
    case net::ExchangeEnd::kClientGone:
    case net::ExchangeEnd::kClientBody:
      return ErrorCode::kClientGone;
    case net::ExchangeEnd::kCancelled:
      return ErrorCode::kShuttingDown;
    case net::ExchangeEnd::kAnswered:
      break;
  }
  return ErrorCode::kInternal;
}

std::optional<Duration> told_wait(const net::MessageHead& answer) {
  return retry_hint(HeaderList(answer).span(), system_clock().wall());
}

}  // namespace akr
