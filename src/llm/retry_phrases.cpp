// retry_phrases.cpp - waits that providers write into sentences; declared in rate_limit_hints.hpp.
#include <string>

#include "base/strings.hpp"
#include "llm/rate_limit_hints.hpp"
#include "llm/unit_durations.hpp"

namespace akr {
namespace {

// What follows "try " in "try again in 2s", "retry in 2s" and their like.
constexpr std::string_view kLeads[] = {"again in ", "again after ", "in ", "after "};

std::string_view after_lead(std::string_view text) {
  for (auto lead : kLeads) {
    if (text.starts_with(lead)) return text.substr(lead.size());
  }
  return {};
}

std::string_view after_hedge(std::string_view text) {
  for (std::string_view hedge : {"~", "about ", "approximately "}) {
    if (text.starts_with(hedge)) text.remove_prefix(hedge.size());
  }
  return text;
}

// "in 30" and "in 30." are seconds; "in 30 requests" is no time at all.
std::optional<Duration> read_bare_seconds(std::string_view text) {
  const auto end = text.find_first_not_of("0123456789");
  const auto digits = text.substr(0, end);
  const auto tail = end == std::string_view::npos ? std::string_view() : text.substr(end);
  const bool ends_here = tail.empty() || tail == "." || tail.starts_with(". ") || tail.starts_with(',');
  return ends_here ? parse_seconds(digits) : std::nullopt;
}

}  // namespace

std::optional<Duration> parse_go_duration(std::string_view value) {
  value = trim(value);
  if (value == "0") return Duration::zero();
  const bool negative = value.starts_with('-');
  if (negative) value.remove_prefix(1);
  std::size_t used = 0;
  const auto wait = read_unit_durations(value, used);
  if (!wait || used != value.size()) return std::nullopt;
  return negative ? Duration::zero() : *wait;
}

std::optional<Duration> find_retry_phrase(std::string_view lower) {
  constexpr std::string_view kVerb = "try ";
  for (auto at = lower.find(kVerb); at != std::string_view::npos; at = lower.find(kVerb, at + 1)) {
    const auto tail = after_hedge(after_lead(lower.substr(at + kVerb.size())));
    std::size_t used = 0;
    if (const auto wait = read_unit_durations(tail, used)) return wait;
    if (const auto wait = read_bare_seconds(tail)) return wait;
  }
  return std::nullopt;
}

std::optional<Duration> find_regain_date(std::string_view message, WallTime now) {
  constexpr std::string_view kPhrase = "regain access on ";
  const std::string lower = to_lower(message);
  const auto at = lower.find(kPhrase);
  if (at == std::string::npos) return std::nullopt;
  return read_loose_date(std::string_view(lower).substr(at + kPhrase.size()), now);
}

}  // namespace akr
