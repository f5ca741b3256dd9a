// rate_limit_hints.hpp - when a provider says a key may be used again, in every spelling that providers have.
//
// Pure: the wall time comes in.  Results are "from now", never negative (a past date is 0), and not clamped: what a
// hint is worth is core/outcome's business.  nullopt: not of this form, negative where that is nonsense, not finite,
// or more than a hundred years.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/clock.hpp"
#include "llm/error_detail.hpp"

namespace akr {

// "7", "7.5" (seconds, rounded up: a key tried too early costs a request), an HTTP date, or a point in time as
// parse_epoch() has them.
std::optional<Duration> parse_retry_after(std::string_view value, WallTime now);
// "1500", "1500.5": milliseconds, exactly.
std::optional<Duration> parse_milliseconds(std::string_view value);
// "1.5": seconds, exactly.
std::optional<Duration> parse_seconds(std::string_view value);
// Go's time.Duration: "12ms", "1.5s", "6m0s", "1h2m3s", "20µs"; "-1ms" is 0.  Protobuf's "34s" and "2.515s" are a part
// of it.
std::optional<Duration> parse_go_duration(std::string_view value);
// "1730000000" or "1730000000000": a point in time, in seconds or milliseconds by its size.
std::optional<Duration> parse_epoch(std::string_view value, WallTime now);
// "2026-11-22T20:32:33Z", with fraction and offset; the time may be missing ("2026-12-01" is its midnight, UTC).
std::optional<Duration> parse_rfc3339(std::string_view value, WallTime now);
// Any of the above, as found in ...-reset headers, also read_loose_date()'s.  A plain number is a point in time if it
// is large, else seconds.
std::optional<Duration> parse_reset(std::string_view value, WallTime now);

// A date at the front of `lower` (in lower case), as sentences have them: RFC 3339, also with a space or " at " before
// the time and without seconds; "22 nov 2026 20:32:33 gmt", "sun, 22 nov 2026", "nov 22nd, 2026, 8:32 pm".  A time
// without a zone is UTC; so is a missing time, which is midnight.
std::optional<Duration> read_loose_date(std::string_view lower, WallTime now);

// "try again in 6m0s", "Please retry in 10h17m5.7s", "retry after 20 seconds": the first such phrase.
// `lower` is the message in lower case.
std::optional<Duration> find_retry_phrase(std::string_view lower);
// "reset after 24h", "Resets in 109h12m3s", "will reset at 2026-09-09 03:30:06", "wait 30 seconds", "available in 31
// seconds", "try again at 2026-12-01T00:00:00Z", "resets on 1795379600": the first such phrase.
std::optional<Duration> find_reset_phrase(std::string_view lower, WallTime now);
// "regain access on 2026-12-01 at 00:00 UTC": the first date after "regain access on".
std::optional<Duration> find_regain_date(std::string_view message, WallTime now);

// Fields that say in milliseconds when to try again, in the order of how much they are worth.
inline constexpr std::string_view kRetryAfterMs = "retry-after-ms";
inline constexpr std::string_view kRetryInMilliseconds[] = {kRetryAfterMs, "x-ms-retry-after-ms"};

// From the head of an answer: retry-after-ms, else retry-after, else names that some providers have for it.
std::optional<Duration> retry_hint(std::span<const HeaderView> headers, WallTime now);

// The slow part of may_be_empty().
bool counts_down_to(std::string_view name, std::string_view value);

// What the counters in a head say: X-RateLimit-*, X-Rate-Limit-*, anthropic-ratelimit-* and their like, and the IETF's
// RateLimit and RateLimit-Policy in all of their drafts.
struct LimitCounters {
  bool empty = false;                                // of one of them nothing is left
  std::optional<Duration> full_in = std::nullopt;    // the latest reset of those, if one is told
  std::optional<Duration> uncounted = std::nullopt;  // the soonest reset of which nobody says what remains
};
LimitCounters limit_counters(std::span<const HeaderView> headers, WallTime now);
// LimitCounters::full_in.
std::optional<Duration> empty_bucket_reset(std::span<const HeaderView> headers, WallTime now);
// Can this field of a good answer say that nothing is left?  Cheap: nearly all fields are told by it.
inline bool may_be_empty(std::string_view name, std::string_view value) {
  // Nearly every field is told from a counter by its first letter ("X-RateLimit-...", "RateLimit", "anthropic-...").
  const char first = name.empty() ? '\0' : static_cast<char>(name.front() | 0x20);
  if (first != 'x' && first != 'r' && first != 'a') return false;
  return !value.empty() && counts_down_to(name, value);
}

// First value of a header, any letter case; nullopt if absent.
std::optional<std::string_view> find_header(std::span<const HeaderView> headers, std::string_view name);

// Until the next 00:00 in Los Angeles, where Gemini's day begins.  No time-zone data is used: the rule of the United
// States since 2007 is in the code.
Duration until_pacific_midnight(WallTime now);
// Until the first of next month, 00:00 UTC, where spend limits begin anew.
Duration until_next_month(WallTime now);

}  // namespace akr
