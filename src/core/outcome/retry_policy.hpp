// retry_policy.hpp - how often and how long a request may be tried again (behaviour.md D05).
#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "core/outcome/verdict.hpp"
#include "core/service/service.hpp"

namespace akr {

// How far an attempt got before it failed; decides whether a second try could do the work twice.
enum class SendProgress {
  kNothingSent,  // connect, DNS, TLS or proxy failure: the upstream saw nothing of the request
  kSent,         // some or all of the request left; the upstream may have acted on it
  kAnswered,     // a response head arrived: the upstream decided
};

struct AttemptFacts {
  Verdict verdict;
  SendProgress progress = SendProgress::kAnswered;
  int status = 0;  // 0: no head
};

// Safe to do twice: GET, HEAD, OPTIONS, TRACE, PUT, DELETE (RFC 9110 section 9.2.2).
bool is_idempotent(std::string_view method);

class RetryBudget {
 public:
  RetryBudget(const RetrySettings& settings, bool idempotent, bool replayable, TimePoint started);

  // May the first attempt (attempts == 0) or another one start now?  `last` is ignored for the first.
  // Never after max_attempts that count or ten in all, after the budget, when the verdict says kReturn, when the body
  // cannot be sent again (unless nothing was sent), or when the work could be done twice and the service does not allow
  // that.
  bool allows(const AttemptFacts& last, TimePoint now) const;
  // The same without max_attempts: may the request go out again at all, if need be to another service?
  bool may_repeat(const AttemptFacts& last, TimePoint now) const;
  bool in_time(TimePoint now) const { return now - started_ < settings_.budget; }
  void count_attempt() { ++attempts_; }
  // What that attempt came to.  One that ended by its key's fault cost next to nothing and does not count, unless there
  // is to be one attempt only.
  void note_end(const AttemptFacts& facts);
  int attempts() const { return attempts_; }

 private:
  RetrySettings settings_;
  bool idempotent_;
  bool replayable_;
  TimePoint started_;
  int attempts_ = 0;
  int forgiven_ = 0;  // of them: ended by the key's fault
};

}  // namespace akr
