#include "core/outcome/retry_policy.hpp"

namespace akr {
namespace {

bool is_penalty(KeyAction action) {
  switch (action) {
    case KeyAction::kNone:
    case KeyAction::kGood:
      return false;
    case KeyAction::kCool:
    case KeyAction::kExhaust:
    case KeyAction::kSuspect:
    case KeyAction::kForbid:
    case KeyAction::kInvalidate:
      return true;
  }
  return false;
}

constexpr int kMostAttempts = 10;  // distinct keys per request (D05)

// The upstream turned the request away at the door because of the key, so it did none of the work.  408 and 425 are
// 4xx but say nothing of the kind, and a 5xx may come from the middle of the work.
bool was_turned_away(const AttemptFacts& last) {
  if (last.progress != SendProgress::kAnswered) return false;
  const bool client_error = last.status >= 400 && last.status < 500 && last.status != 408 && last.status != 425;
  const bool error_in_success = last.status > 0 && last.status < 300;
  return (client_error || error_in_success) && is_penalty(last.verdict.key);
}

}  // namespace

bool is_idempotent(std::string_view method) {
  constexpr std::string_view kIdempotent[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  for (auto name : kIdempotent) {
    if (method == name) return true;
  }
  return false;
}

RetryBudget::RetryBudget(const RetrySettings& settings, bool idempotent, bool replayable, TimePoint started)
    : settings_(settings), idempotent_(idempotent), replayable_(replayable), started_(started) {}

void RetryBudget::note_end(const AttemptFacts& facts) {
  if (settings_.max_attempts > 1 && facts.verdict.retry == RetryAdvice::kNextKey && was_turned_away(facts)) ++forgiven_;
}

bool RetryBudget::allows(const AttemptFacts& last, TimePoint now) const {
  if (attempts_ == 0) return true;
  return attempts_ < kMostAttempts && attempts_ - forgiven_ < settings_.max_attempts && may_repeat(last, now);
}

bool RetryBudget::may_repeat(const AttemptFacts& last, TimePoint now) const {
  if (!in_time(now)) return false;
  if (last.verdict.retry == RetryAdvice::kReturn) return false;
  if (last.progress == SendProgress::kNothingSent) return true;
  if (!replayable_) return false;
  return idempotent_ || settings_.retry_non_idempotent || was_turned_away(last);
}

}  // namespace akr
