#include "proxy/attempt/soonest_end.hpp"

#include <algorithm>

namespace akr {
namespace {

// Until a key of any service that would take the request may be used.
std::optional<Duration> free_in(const RequestContext& ctx, TimePoint now) {
  std::optional<Duration> soonest = ctx.asked().keys->free_in(ctx.model, now);
  for (const RoutedService* fallback : ctx.asked().fallbacks) {
    const auto wait = fallback->keys->free_in(ctx.model, now);
    // A free one was of no use to this request.
    if (wait && *wait > Duration::zero()) soonest = std::min(soonest.value_or(*wait), *wait);
  }
  return soonest;
}

bool is_limit(const AttemptFacts& facts) {
  if (facts.verdict.retry != RetryAdvice::kNextKey) return false;
  return facts.verdict.key == KeyAction::kCool || facts.verdict.key == KeyAction::kExhaust;
}

}  // namespace

void name_soonest_end(const RequestContext& ctx, Attempt& last, TimePoint now) {
  if (last.error || !last.answer || ctx.pinned || !is_limit(last.facts)) return;
  const auto told = told_wait(last.answer->head);
  auto soonest = free_in(ctx, now);
  // Without a hint: what other keys of this request were told, or the provider's silence.
  if (!soonest || (!told && ctx.attempts < 2)) return;
  // An overloaded provider is not helped by other keys.
  if (*soonest == Duration::zero() && (!told || last.facts.status >= 500)) return;
  soonest = std::max<Duration>(*soonest, std::chrono::seconds(1));
  if (told && std::chrono::ceil<std::chrono::seconds>(*soonest) >= *told) return;
  last.retry_in = std::chrono::ceil<std::chrono::milliseconds>(*soonest);
}

}  // namespace akr
