// reset_phrases.cpp - sentences that say when a limit ends; declared in rate_limit_hints.hpp.
//
// A sentence is a word that speaks of an end ("resets", "available", "wait"), at most a few words that lead to a time
// ("will be", "in about"), and the time.  Each such word is followed for kReach bytes at most, so that the work is
// linear whatever the text is.
#include <algorithm>
#include <iterator>

#include "base/strings.hpp"
#include "llm/rate_limit_hints.hpp"
#include "llm/unit_durations.hpp"

namespace akr {
namespace {

constexpr std::size_t kReach = 96;
constexpr int kMostWords = 8;

// In lower case; any letters may follow ("resets", "available").
constexpr std::string_view kEnds[] = {"reset", "retry",     "try again",   "regain access",
                                      "wait",  "available", "until",       "refill",
                                      "renew", "replenish", "blocked for", "\xe5\xb0\x86\xe5\x9c\xa8"};

constexpr std::string_view kLeads[] = {
    "in",   "after",  "for",           "at",     "on",      "again",    "is",    "will",    "be",     "by",    "of",
    "your", "the",    "this",          "about",  "request", "requests", "quota", "limit",   "limits", "usage", "time",
    "date", "around", "approximately", "access", "another", "s",        "least", "seconds", "window"};

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <std::size_t kCount>
bool is_one_of(const std::string_view (&words)[kCount], std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

std::string_view take_letters(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_letter);
  const auto word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(word.size());
  return word;
}

// A number without a unit is a time only where nothing else is counted: "in 30.", "retry_after: 30}".
bool ends_here(std::string_view tail) {
  if (tail.empty() || std::string_view("}],;)\"'\r\n").find(tail.front()) != std::string_view::npos) return true;
  return tail.front() == '.' && (tail.size() == 1 || !is_digit(tail[1]));
}

std::optional<Duration> read_number(std::string_view text, bool may_be_seconds, WallTime now) {
  constexpr std::size_t kEpochDigits = 10;
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto digits = text.substr(0, end);
  if (digits.size() >= kEpochDigits) return parse_epoch(digits, now);
  return may_be_seconds && ends_here(text.substr(end)) ? parse_seconds(digits) : std::nullopt;
}

std::optional<Duration> read_time(std::string_view text, bool may_be_seconds, WallTime now) {
  if (const auto wait = read_loose_date(text, now)) return wait;
  std::size_t used = 0;
  if (const auto wait = read_unit_durations(text, used)) return wait;
  return read_number(text, may_be_seconds, now);
}

// `text` is what follows the word that speaks of an end.
std::optional<Duration> read_lead(std::string_view text, WallTime now) {
  bool may_be_seconds = false;
  take_letters(text);  // "s", "able"
  for (int words = 0; words < kMostWords && !text.empty();) {
    const char c = text.front();
    if (is_digit(c)) return read_time(text, may_be_seconds, now);
    if (is_letter(c)) {
      const auto here = text;
      const auto word = take_letters(text);
      if (!is_one_of(kLeads, word)) return read_loose_date(here, now);
      may_be_seconds = word == "in" || word == "after" || word == "for" || word == "seconds";
      ++words;
      continue;
    }
    const bool joint = std::string_view(" \t:=(~_\"'|").find(c) != std::string_view::npos;
    const bool dash = c == '-' && text.size() > 1 && is_letter(text[1]);
    if (!joint && !dash) return std::nullopt;
    text.remove_prefix(1);
  }
  return std::nullopt;
}

std::string_view end_word_at(std::string_view text) {
  for (const std::string_view word : kEnds) {
    if (text.starts_with(word)) return word;
  }
  return {};
}

}  // namespace

std::optional<Duration> find_reset_phrase(std::string_view lower, WallTime now) {
  for (std::size_t at = 0; at < lower.size(); ++at) {
    if (at > 0 && is_letter(lower[at - 1])) continue;
    const auto word = end_word_at(lower.substr(at));
    if (word.empty()) continue;
    if (const auto wait = read_lead(lower.substr(at + word.size(), kReach), now)) return wait;
  }
  return std::nullopt;
}

}  // namespace akr
