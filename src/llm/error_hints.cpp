#include "llm/error_hints.hpp"

#include <algorithm>
#include <array>

#include "base/strings.hpp"
#include "llm/rate_limit_hints.hpp"

namespace akr {
namespace {

constexpr std::size_t kTextLookedAt = 2048;

// A time that has passed is no help: another window's, or one in a zone that nobody named.
std::optional<Duration> ahead(std::optional<Duration> wait) {
  return wait && *wait > Duration::zero() ? wait : std::nullopt;
}

std::optional<Duration> hint_of_members(const ErrorFacts& facts, WallTime now) {
  for (std::size_t i = 0; i < facts.hint_count; ++i) {
    if (const auto wait = ahead(read_hint(facts.hints[i].form, facts.hints[i].value, now))) return wait;
  }
  return std::nullopt;
}

std::optional<Duration> hint_of_repeated_head(const ErrorFacts& facts, WallTime now) {
  std::array<HeaderView, std::tuple_size_v<decltype(facts.headers)>> views;
  for (std::size_t i = 0; i < facts.header_count; ++i) views[i] = {facts.headers[i].name, facts.headers[i].value};
  const std::span<const HeaderView> head(views.data(), facts.header_count);
  if (const auto wait = retry_hint(head, now)) return wait;
  const LimitCounters counters = limit_counters(head, now);
  return counters.full_in ? counters.full_in : counters.uncounted;
}

std::optional<Duration> find_phrase(std::string_view lower, WallTime now) {
  if (const auto wait = find_retry_phrase(lower)) return wait;
  return ahead(find_reset_phrase(lower, now));
}

// No message that we know where to find: a sentence all the same, in a text or in JSON of another shape.
std::optional<Duration> hint_of_text(const ErrorAnswer& answer, const ErrorFacts& facts) {
  const auto begin = answer.body.find_first_not_of(" \t\r\n");
  const bool nothing_to_read = begin == std::string_view::npos || answer.body[begin] == '<';
  if (!facts.lower_message.empty() || nothing_to_read) return std::nullopt;
  return find_phrase(to_lower(answer.body.substr(begin, kTextLookedAt)), answer.now);
}

std::optional<Duration> hint_of_counters(const ErrorAnswer& answer) {
  const LimitCounters counters = limit_counters(answer.headers, answer.now);
  if (counters.full_in || answer.status != 429) return counters.full_in;
  return counters.empty ? std::nullopt : counters.uncounted;
}

}  // namespace

std::optional<Duration> hint_of(const ErrorAnswer& answer, const ErrorFacts& facts) {
  const WallTime now = answer.now;
  if (const auto wait = retry_hint(answer.headers, now)) return wait;
  if (const auto wait = parse_go_duration(facts.retry_delay)) return wait;
  if (answer.status >= 500) return find_retry_phrase(facts.lower_message);  // its counters and days are not about it
  if (const auto wait = hint_of_members(facts, now)) return wait;
  if (const auto wait = find_phrase(facts.lower_message, now)) return wait;
  if (const auto wait = hint_of_repeated_head(facts, now)) return wait;
  if (answer.status != 429 && answer.status != 403) return std::nullopt;
  if (const auto wait = hint_of_text(answer, facts)) return wait;
  return hint_of_counters(answer);
}

std::optional<Duration> limit_hint(std::span<const HeaderView> headers, std::string_view body, WallTime now) {
  const ErrorAnswer as_limit{.status = 429, .headers = headers, .body = body, .now = now};
  return hint_of(as_limit, read_error_facts(body));
}

bool head_tells_limit(const ErrorAnswer& answer) {
  return retry_hint(answer.headers, answer.now) || limit_counters(answer.headers, answer.now).empty;
}

}  // namespace akr
