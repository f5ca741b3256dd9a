// rate_limit_buckets.cpp - what the counters in a head say, old names and new; declared in rate_limit_hints.hpp.
//
// Three families: pairs of fields (`X-RateLimit-Remaining` and `X-RateLimit-Reset`, with anything before, between and
// behind, `rate-limit` too; drafts 0 to 6 of the IETF's RateLimit fields; several windows as lists: "0, 1419"), one
// dictionary (draft 7: `RateLimit: limit=9, remaining=0, reset=5`), and lists of policies (draft 8 on:
// `RateLimit: "hour";r=0;t=30` with `RateLimit-Policy: "hour";q=9;w=3600`).
#include <algorithm>
#include <array>

#include "base/strings.hpp"
#include "llm/rate_limit_hints.hpp"
#include "llm/structured_field.hpp"
#include "llm/unit_durations.hpp"

namespace akr {
namespace {

constexpr std::string_view kRateLimit = "ratelimit";
constexpr std::string_view kRemaining = "remaining";

// A field's name in lower case on the stack; longer names are nobody's.
class LowerName {
 public:
  explicit LowerName(std::string_view name) {
    if (name.size() > text_.size()) return;
    std::transform(name.begin(), name.end(), text_.begin(), ascii_lower);
    size_ = name.size();
  }
  // With `to` in the place of the first `from`, which occurs.
  LowerName(std::string_view name, std::string_view from, std::string_view to) {
    const auto at = name.find(from);
    append(name.substr(0, at));
    append(to);
    append(name.substr(at + from.size()));
  }
  std::string_view view() const { return {text_.data(), size_}; }
  bool has(std::string_view part) const { return view().find(part) != std::string_view::npos; }

 private:
  void append(std::string_view part) {
    const auto taken = part.substr(0, text_.size() - size_);
    std::copy(taken.begin(), taken.end(), text_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += taken.size();
  }
  std::array<char, 96> text_{};
  std::size_t size_ = 0;
};

bool icontains(std::string_view text, std::string_view word) {
  const auto same = [](char a, char b) { return ascii_lower(a) == b; };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

bool counts_limits(const LowerName& name) { return name.has("ratelimit") || name.has("rate-limit"); }

// "0", "0;w=60".
bool is_zero(std::string_view count) { return parse_decimal(trim(count.substr(0, count.find(';')))) == 0.0; }

// Collects what each bucket says.
class Buckets {
 public:
  Buckets(std::span<const HeaderView> headers, WallTime now) : headers_(headers), now_(now) {}

  void look() {
    for (const HeaderView& header : headers_) {
      if (header.name.size() < kRateLimit.size()) continue;
      const LowerName name(header.name);
      if (name.view() == kRateLimit) {
        look_at_members(header.value);
      } else if (counts_limits(name)) {
        look_at_pair(name, header.value);
      }
    }
  }
  LimitCounters result() const { return counters_; }

 private:
  static constexpr std::string_view kResets[] = {"reset-after", "reset"};  // the first needs no clock

  void found_empty(std::optional<Duration> reset) {
    counters_.empty = true;
    if (reset) counters_.full_in = std::max(counters_.full_in.value_or(Duration::zero()), *reset);
  }

  void found_uncounted(std::optional<Duration> reset) {
    if (reset && *reset > Duration::zero())
      counters_.uncounted = std::min(counters_.uncounted.value_or(*reset), *reset);
  }

  void look_at_pair(const LowerName& name, std::string_view value) {
    if (name.has(kRemaining)) return look_at_counts(name, value);
    for (const std::string_view word : kResets) {
      if (!name.has(word)) continue;
      const bool counted = find_header(headers_, LowerName(name.view(), word, kRemaining).view()).has_value();
      if (!counted) found_uncounted(parse_reset(value, now_));
      return;
    }
  }

  void look_at_counts(const LowerName& name, std::string_view counts) {
    std::optional<std::string_view> reset;
    for (const std::string_view word : kResets) {
      if (!reset) reset = find_header(headers_, LowerName(name.view(), kRemaining, word).view());
    }
    if (counts.find(',') == std::string_view::npos) {
      if (is_zero(counts)) found_empty(reset ? parse_reset(*reset, now_) : std::nullopt);
      return;
    }
    // One for each window, in the same order: "1, 0" with "1, 1419704".
    std::string_view resets = reset.value_or(std::string_view());
    while (!counts.empty()) {
      const bool empty = is_zero(take_part(counts, ','));
      const auto own = take_part(resets, ',');
      if (empty) found_empty(parse_reset(own, now_));
    }
  }

  void look_at_members(std::string_view value) {
    std::optional<std::string_view> remaining, reset;
    FieldMembers members(value);
    while (const auto member = members.next()) {
      if (iequals(member->name, kRemaining)) remaining = member->value;
      if (iequals(member->name, "reset")) reset = member->value;
      const auto left = member->find("r");
      if (!left || !is_zero(*left)) continue;
      const auto until = member->find("t");
      found_empty(until ? parse_seconds(*until) : window_of(member->name));
    }
    if (remaining && is_zero(*remaining)) found_empty(reset ? parse_seconds(*reset) : window_of({}));
    if (!remaining && reset) found_uncounted(parse_seconds(*reset));
  }

  // The length of a policy's window: nobody waits longer for it.  "" = the first one.
  std::optional<Duration> window_of(std::string_view policy) const {
    for (const HeaderView& header : headers_) {
      if (!iequals(header.name, "ratelimit-policy")) continue;
      FieldMembers members(header.value);
      while (const auto member = members.next()) {
        const auto window = member->find("w");
        if (window && (policy.empty() || member->name == policy)) return parse_seconds(*window);
      }
    }
    return std::nullopt;
  }

  const std::span<const HeaderView> headers_;
  const WallTime now_;
  LimitCounters counters_;
};

}  // namespace

LimitCounters limit_counters(std::span<const HeaderView> headers, WallTime now) {
  Buckets buckets(headers, now);
  buckets.look();
  return buckets.result();
}

bool counts_down_to(std::string_view name, std::string_view value) {
  if (name.size() < kRateLimit.size()) return false;
  if (name.size() == kRateLimit.size()) return iequals(name, kRateLimit);
  return (value.front() == '0' || value.find(',') != std::string_view::npos) && icontains(name, kRemaining);
}

std::optional<Duration> empty_bucket_reset(std::span<const HeaderView> headers, WallTime now) {
  return limit_counters(headers, now).full_in;
}

}  // namespace akr
