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
  if (!ctx_.pinned || ctx_.pinned->service == ctx_.asked().config.id) return;
  for (const RoutedService* fallback : ctx_.asked().fallbacks) {
    if (fallback->config.id != ctx_.pinned->service) continue;
    if (!accepts(fallback->config, ctx_.client.head().method())) return;  // so take_pinned_key() refuses
    ctx_.serve_from(fallback);
    ctx_.limit_total(ctx_.started);
    ctx_.trace.moves_to(fallback->config.slug);
    return;
  }
}

RetryBudget Fallbacks::budget() const {
  RetrySettings settings = ctx_.service().config.retry;
  settings.budget = ctx_.asked().config.retry.budget;
  return {settings, request_.idempotent, request_.replayable(), ctx_.started};
}

std::size_t Fallbacks::find_next() const {
  const auto& fallbacks = ctx_.asked().fallbacks;
  // Its bytes are gone; or only one key, of the service that serves, can help.
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
  ctx_.serve_from(ctx_.asked().fallbacks[next]);
  ctx_.limit_total(now);
  ctx_.trace.moves_to(ctx_.service().config.slug);
  if (ctx_.affinity == 0 && ctx_.service().policy->keeps_affinity) read_request_facts(ctx_, request_);
  return true;
}

void Fallbacks::settle(Attempt& last) {
  // A pinned request went to one service only: what that one said is the answer.
  if (ctx_.stand_in == nullptr || ctx_.pinned) return;
  const bool lost = last.error && exhausted(last);
  if (!lost) {
    if (answered_) answered_->attempt.give_back();
    return;
  }
  note(*last.error);
  if (answered_) {
    last = std::move(answered_->attempt);
    ctx_.stand_in = answered_->stand_in;
    ctx_.upstream = answered_->upstream;
    ctx_.key_fingerprint = last.lease.key().fingerprint;
    ctx_.outcome = last.facts.verdict.reason;
    return;
  }
  last = Attempt();
  last.error = std::move(first_error_);
  if (is_about_keys(last.error->code)) last.error->retry_after = soonest_;
  ctx_.serve_from(nullptr);
  ctx_.upstream = first_tried_.upstream;
  ctx_.key_fingerprint = std::move(first_tried_.key);
  ctx_.outcome = first_tried_.outcome;
}

void Fallbacks::keep(Attempt&& last) {
  if (last.error) return note(*last.error);
  if (answered_) answered_->attempt.give_back();
  answered_ = std::make_unique<Answered>(Answered{std::move(last), ctx_.stand_in, ctx_.upstream});
}

void Fallbacks::note(const Error& error) {
  if (!first_error_) {
    first_error_ = error;
    first_tried_ = {ctx_.upstream, ctx_.key_fingerprint, ctx_.outcome};
  }
  if (error.retry_after > 0) soonest_ = soonest_ == 0 ? error.retry_after : std::min(soonest_, error.retry_after);
}

}  // namespace akr
