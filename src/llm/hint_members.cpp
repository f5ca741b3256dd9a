#include "llm/hint_members.hpp"

#include <algorithm>
#include <array>

#include "base/strings.hpp"
#include "llm/rate_limit_hints.hpp"

namespace akr {
namespace {

struct HintName {
  std::string_view name;  // in lower case, without '_' and '-'
  HintForm form = HintForm::kWait;
};

// Sources: the documentation of Discord ("retry_after"), Telegram ("parameters.retry_after"), Infura
// ("rate.backoff_seconds"); public errors of Google's Code Assist ("quotaResetDelay", "quotaResetTimeStamp"), of
// ChatGPT accounts ("resets_at", "resets_in_seconds") and of common limiters.
constexpr HintName kNames[] = {
    {"retryafter"},
    {"retryaftersec"},
    {"retryafterseconds"},
    {"retryaftersecs"},
    {"retryafterms", HintForm::kMilliseconds},
    {"retryaftermillis", HintForm::kMilliseconds},
    {"retryaftermilliseconds", HintForm::kMilliseconds},
    {"retryin"},
    {"retryinseconds"},
    {"retryat"},
    {"retrydelayseconds"},
    {"retrydelayms", HintForm::kMilliseconds},
    {"backoffseconds"},
    {"resetat"},
    {"resetsat"},
    {"resettime"},
    {"resettimestamp"},
    {"resetdate"},
    {"resetin"},
    {"resetsin"},
    {"resetinseconds"},
    {"resetsinseconds"},
    {"resetafter"},
    {"resetafterseconds"},
    {"resetafterms", HintForm::kMilliseconds},
    {"ratelimitreset"},
    {"ratelimitresetat"},
    {"quotaresetdelay"},
    {"quotaresettimestamp"},
    {"quotaresetat"},
    {"quotaresettime"},
    {"limitresetat"},
    {"nextavailableat"},
    {"availableat"},
    {"availablein"},
};

constexpr std::size_t kLongestName = 24;

}  // namespace

std::optional<HintForm> hint_form(std::string_view member) {
  std::array<char, kLongestName> plain{};
  std::size_t size = 0;
  for (const char c : member) {
    if (c == '_' || c == '-') continue;
    if (size == plain.size()) return std::nullopt;
    plain[size++] = ascii_lower(c);
  }
  const std::string_view name(plain.data(), size);
  for (const HintName& known : kNames) {
    if (known.name == name) return known.form;
  }
  return std::nullopt;
}

std::optional<Duration> read_hint(HintForm form, std::string_view value, WallTime now) {
  switch (form) {
    case HintForm::kWait:
      return parse_reset(value, now);
    case HintForm::kMilliseconds:
      return parse_milliseconds(value);
  }
  return std::nullopt;
}

}  // namespace akr
