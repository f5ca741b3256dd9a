#include "proxy/attempt/decision_trace.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

namespace akr {
namespace {

std::string_view name_of(KeyAction action) {
  switch (action) {
    case KeyAction::kNone:
      return "none";
    case KeyAction::kGood:
      return "good";
    case KeyAction::kCool:
      return "cool";
    case KeyAction::kExhaust:
      return "exhaust";
    case KeyAction::kSuspect:
      return "suspect";
    case KeyAction::kForbid:
      return "forbid";
    case KeyAction::kInvalidate:
      return "invalidate";
  }
  return "none";
}

std::string_view name_of(Scope scope) {
  switch (scope) {
    case Scope::kKey:
      return "key";
    case Scope::kKeyModel:
      return "key_model";
    case Scope::kGroup:
      return "group";
    case Scope::kGroupModel:
      return "group_model";
  }
  return "key";
}

// Candidates that are not offered.  Disabled and drained keys are out by a person's will: they are none.
constexpr KeyStanding kPassedOver[] = {KeyStanding::kOnTrial, KeyStanding::kCooling, KeyStanding::kExhausted,
                                       KeyStanding::kInvalid, KeyStanding::kLimited, KeyStanding::kPaced,
                                       KeyStanding::kBusy};

bool is_offered(KeyStanding standing) { return standing == KeyStanding::kUsable || standing == KeyStanding::kTrial; }

void add_text(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":\"";
  out += value;
  out += '"';
}

void add_number(std::string& out, std::string_view name, std::int64_t value) {
  out += ",\"";
  out += name;
  out += "\":";
  out += std::to_string(value);
}

void add_skipped(std::string& out, const SelectTrace& choice) {
  std::string inner;
  for (std::size_t i = 0; i < kStandings; ++i) {
    const auto standing = static_cast<KeyStanding>(i);
    if (choice.standings[i] > 0 && !is_offered(standing)) add_number(inner, to_string(standing), choice.standings[i]);
  }
  if (choice.tried > 0) add_number(inner, "tried", choice.tried);
  if (choice.model_cooling > 0) add_number(inner, "model_cooling", choice.model_cooling);
  if (choice.too_few_tokens > 0) add_number(inner, "too_few_tokens", choice.too_few_tokens);
  if (inner.empty()) return;
  out += ",\"skipped\":{";
  out += std::string_view(inner).substr(1);
  out += '}';
  if (!choice.model_reason.empty()) add_text(out, "model_reason", choice.model_reason);
}

}  // namespace

SelectTrace& DecisionTrace::next_choice() {
  if (count_ < kInline) return std::construct_at(&first_.steps[count_])->choice;
  if (more_.size() == count_ - kInline) more_.emplace_back();
  return at(count_).choice;
}

void DecisionTrace::took(std::string_view fingerprint) {
  Step& step = at(count_++);
  step.taken = true;
  step.service = service_;
  std::copy_n(fingerprint.data(), std::min(fingerprint.size(), step.key.size()), step.key.data());
}

void DecisionTrace::found_nobody(ErrorCode why) {
  Step& step = at(count_++);
  step.outcome = to_string(why);
  step.service = service_;
}

void DecisionTrace::goes_to(std::uint32_t index, const UpstreamUrl& url) {
  if (count_ == 0) return;
  at(count_ - 1).upstream = &url;
  at(count_ - 1).upstream_index = static_cast<std::uint8_t>(index);
}

void DecisionTrace::ended(int status, const Verdict& verdict, int rule) {
  if (count_ == 0) return;
  Step& step = at(count_ - 1);
  step.ended = true;
  step.status = static_cast<std::int16_t>(status);
  step.rule = static_cast<std::int16_t>(rule);
  step.outcome = verdict.reason;
  step.action = verdict.key;
  step.retry = verdict.retry;
  step.scope = verdict.scope;
  step.cool_for = verdict.cool_for.value_or(Duration(-1));
}

bool DecisionTrace::lost() const {
  return count_ > 0 && (!at(count_ - 1).taken || at(count_ - 1).retry != RetryAdvice::kReturn);
}

std::uint32_t DecisionTrace::skipped() const {
  if (count_ == 0) return 0;
  const SelectTrace& choice = at(count_ - 1).choice;
  std::uint32_t sum = choice.tried + choice.model_cooling + choice.too_few_tokens;
  for (const KeyStanding standing : kPassedOver) sum += choice.standings[static_cast<std::size_t>(standing)];
  return sum;
}

std::string DecisionTrace::json() const {
  std::string out = "[";
  for (std::size_t i = 0; i < count_; ++i) {
    if (i > 0) out += ',';
    write(at(i), i == 0 ? conversation_ : std::string_view(), out);
  }
  return out += ']';
}

void DecisionTrace::write(const Step& step, std::string_view conversation, std::string& out) {
  std::string members;
  if (step.service != nullptr) add_text(members, "service", *step.service);
  if (step.taken) {
    const auto end = std::find(step.key.begin(), step.key.end(), '\0');
    add_text(members, "key", {step.key.data(), static_cast<std::size_t>(end - step.key.begin())});
    if (step.upstream != nullptr) {
      add_number(members, "upstream", step.upstream_index);
      add_text(members, "host", step.upstream->host_header);
    }
    add_number(members, "tier", step.choice.tier);
    if (step.choice.affinity) members += ",\"affinity\":true";
    if (step.choice.home) members += ",\"home\":true";
    if (step.choice.pinned) members += ",\"pinned\":true";
    if (step.choice.trial) members += ",\"trial\":true";
  }
  if (!conversation.empty()) add_text(members, "conversation", conversation);
  if (step.choice.suspected) members += ",\"suspected\":true";
  add_skipped(members, step.choice);
  if (step.status != 0) add_number(members, "status", step.status);
  add_text(members, step.taken ? "outcome" : "refused", step.outcome);
  if (step.ended && step.action != KeyAction::kNone && step.action != KeyAction::kGood) {
    add_text(members, "action", name_of(step.action));
    add_text(members, "scope", name_of(step.scope));
    if (step.cool_for.count() >= 0) {
      add_number(members, "cooldown_ms", std::chrono::duration_cast<std::chrono::milliseconds>(step.cool_for).count());
    }
  }
  if (step.rule >= 0) add_number(members, "rule", step.rule);
  out += '{';
  out += std::string_view(members).substr(1);
  out += '}';
}

}  // namespace akr
