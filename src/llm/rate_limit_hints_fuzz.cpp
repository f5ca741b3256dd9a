// Whatever an upstream's head and body are: a hint is a time that is not negative and not longer than a hundred years.
// The first byte chooses the status, then come lines of "name: value", an empty line, and the body.
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "llm/common_errors.hpp"
#include "llm/error_hints.hpp"
#include "llm/provider/registry.hpp"
#include "llm/rate_limit_hints.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void require_sane(const std::optional<akr::Duration>& wait) {
  constexpr std::chrono::hours kHundredYears(100 * 366 * 24 + 1);
  require(!wait || (*wait >= akr::Duration::zero() && *wait <= kHundredYears));
}

std::vector<akr::HeaderView> take_head(std::string_view& text) {
  std::vector<akr::HeaderView> head;
  while (!text.empty() && head.size() < 64) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) break;
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) head.push_back({line.substr(0, colon), line.substr(colon + 1)});
  }
  return head;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr int kStatuses[] = {400, 401, 402, 403, 404, 429, 503, 529};
  const akr::WallTime now{std::chrono::seconds(1'795'379'553)};
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto head = take_head(text);
  const akr::ErrorAnswer answer{
      .status = kStatuses[data[0] % std::size(kStatuses)], .headers = head, .body = text, .now = now};
  require_sane(akr::explain_unknown(answer).retry_after);
  require_sane(akr::limit_hint(head, text, now));
  const akr::LimitCounters counters = akr::limit_counters(head, now);
  require_sane(counters.full_in);
  require_sane(counters.uncounted);
  require(counters.empty || !counters.full_in);
  for (const akr::Provider* provider : akr::providers()) {
    require_sane(akr::UpstreamSpeech{provider, provider->dialects.front()}.parse_error(answer).retry_after);
  }
  return 0;
}
