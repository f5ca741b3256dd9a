#include "llm/google_quota.hpp"

#include <chrono>

#include "llm/rate_limit_hints.hpp"

namespace akr {

void refine_google_quota(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) {
  if (answer.status != 429) return;
  const bool no_quota_at_all =
      facts.quota_zero || facts.says("limit: 0,") || facts.says("limit: 0\n") || facts.message.ends_with("limit: 0");
  if (no_quota_at_all) {
    detail.kind = FailureKind::kModelUnavailable;
    detail.code = "quota_limit_0";
    detail.retry_after = std::chrono::hours(24);
    detail.retry_from = WaitSource::kDefault;
  } else if (facts.quota_per_day) {
    // RetryInfo comes along and says a few seconds; only the next day brings a new quota.
    detail.kind = FailureKind::kDailyQuota;
    detail.code = "quota_per_day";
    detail.retry_after = until_pacific_midnight(answer.now);
    detail.retry_from = WaitSource::kProvider;
  } else if (facts.quota_per_minute) {
    detail.kind = FailureKind::kRateLimit;
    detail.code = "quota_per_minute";
    if (detail.retry_after) return;
    detail.retry_after = std::chrono::seconds(60);
    detail.retry_from = WaitSource::kDefault;
  }
}

}  // namespace akr
