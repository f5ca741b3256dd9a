#include "proxy/attempt/fallback.hpp"

#include <algorithm>

#include "proxy/request/request_facts.hpp"

namespace akr {
namespace {

bool is_about_keys(ErrorCode code) {
  return code == ErrorCode::kNoKeysConfigured || code == ErrorCode::kAllKeysCooling ||
         code == ErrorCode::kCredentialsExhausted;
}

bool exhausted(const Attempt& last) {
  return (last.error && is_about_keys(last.error->code)) || last.facts.verdict.retry != RetryAdvice::kReturn;
}

bool accepts(const Service& service, std::string_view method) {
  if (service.type == ServiceType::kLlm || service.methods.empty()) return true;
  return std::find(service.methods.begin(), service.methods.end(), method) != service.methods.end();
}

}  // namespace

void Fallbacks::start() {
  ctx_.limit_total(ctx_.asked().config, ctx_.started);
  if (!ctx_.pinned || ctx_.pinned->service == ctx_.asked().config.id) return;
  for (const RoutedService* fallback : ctx_.asked().fallbacks) {
    if (fallback->config.id != ctx_.pinned->service) continue;
    if (!accepts(fallback->config, ctx_.client.head().method())) return;  // so take_pinned_key() refuses
    return go_to(*fallback, ctx_.started);
  }
}

// Its pool and its URLs are untried.
void Fallbacks::go_to(const RoutedService& fallback, TimePoint now) {
  const Provider* const provider = fallback.provider;
  target_ = {.service = &fallback};
  if (provider != nullptr) {
    const Dialect* const spoken = ctx_.client_speaks;
    target_.speaks = {provider, spoken != nullptr && provider->speaks(*spoken) ? spoken : provider->dialects.front()};
  }
  ctx_.limit_total(fallback.config, now);
  ctx_.trace.moves_to(fallback.config.slug);
}

RetryBudget Fallbacks::budget() const {
  RetrySettings settings = target_.service->config.retry;
  settings.budget = ctx_.asked().config.retry.budget;
  return {settings, request_.idempotent, request_.replayable(), ctx_.started};
}

std::size_t Fallbacks::find_next() const {
  const auto& fallbacks = ctx_.asked().fallbacks;
  // Its bytes are gone; or only one key, of the service that is tried, can help.
  if (request_.upload.begun() || ctx_.pinned) return fallbacks.size();
  std::size_t next = next_;
  while (next < fallbacks.size() && !accepts(fallbacks[next]->config, ctx_.client.head().method())) ++next;
  return next;
}

bool Fallbacks::move_on(const RetryBudget& spent, Attempt& last, TimePoint now) {
  if (!exhausted(last) || now >= ctx_.deadline) return false;
  // What may have been done already is not done again elsewhere (D05).
  const bool allowed = spent.attempts() == 0 ? spent.in_time(now) : spent.may_repeat(last.facts, now);
  const std::size_t next = find_next();
  if (!allowed || next == ctx_.asked().fallbacks.size()) return false;
  keep(std::move(last));
  last = Attempt();
  next_ = next + 1;
  go_to(*ctx_.asked().fallbacks[next], now);
  if (ctx_.affinity == 0 && target_.service->policy->keeps_affinity)
    read_request_facts(ctx_, request_, *target_.service);
  return true;
}

void Fallbacks::settle(Attempt& last) {
  // A pinned request went to one service only: what that one said is the answer.
  if (!moved() || ctx_.pinned) return;
  const bool lost = last.error && exhausted(last);
  if (!lost) {
    if (answered_) answered_->give_back();
    return;
  }
  note(last);
  if (answered_) {
    last = std::move(*answered_);
    return;
  }
  last = Attempt();
  last.by = std::move(first_->by);
  last.error = std::move(first_->error);
  if (is_about_keys(last.error->code)) last.error->retry_after = soonest_;
}

void Fallbacks::keep(Attempt&& last) {
  if (last.error) return note(last);
  if (answered_) answered_->give_back();
  answered_ = std::make_unique<Attempt>(std::move(last));
}

void Fallbacks::note(const Attempt& failed) {
  const Error& error = *failed.error;
  if (!first_) first_ = Failed{error, failed.by};
  if (error.retry_after > 0) soonest_ = soonest_ == 0 ? error.retry_after : std::min(soonest_, error.retry_after);
}

}  // namespace akr
