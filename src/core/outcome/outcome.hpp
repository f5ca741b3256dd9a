// outcome.hpp - what an attempt came to, and what that means: classify().  Pure.
//
// The table is behaviour.md section 2; what a provider's own code or message means is llm-formats.md section 4.3 and
// reaches us as UpstreamFailure::kind, found by the format's parse_error() (proxy/attempt/attempts carries it across,
// so that neither layer includes the other).
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/failure.hpp"
#include "core/outcome/verdict.hpp"
#include "core/service/service.hpp"

namespace akr {

// How an attempt ended at the transport level.
enum class AttemptEnd {
  kAnswered,  // a complete response head; look at status
  kDns,
  kConnect,
  kTls,
  kEgressProxy,
  kFirstByteTimeout,
  kTotalTimeout,
  kClosedBeforeHead,  // EOF or reset before a complete head
  kProtocol,          // an answer that is not valid HTTP
  kInterrupted,       // reset, cut or idle time-out after the head went down
  kClientGone,
  kGateway,  // our own failure; nobody's fault upstream
};

struct UpstreamFailure {
  AttemptEnd end = AttemptEnd::kAnswered;
  int status = 0;
  FailureKind kind = FailureKind::kUnknown;
  std::optional<Duration> retry_after = std::nullopt;  // how long to wait, if the answer or a default of ours says so
  WaitSource retry_from = WaitSource::kProvider;       // of retry_after
  std::string_view code = {};                          // the provider's own code, of static storage; for reason
};

// Hints are clamped here: a cooldown to 1 s..1 h (60 s at most for 503 and 529), a used-up quota to 24 h, a day's quota
// to 25 h (the day in autumn that has 25), a spend limit to 31 days.  Without a hint Verdict::cool_for stays empty or
// is a default of ours, and KeyPool escalates.  Service rules (failure_rules.hpp) are applied by the caller, before
// this.
Verdict classify(const UpstreamFailure& failure);

}  // namespace akr
