// usage_count.hpp - reads from an answer that passes by how many tokens it cost.
//
// Only made for keys with a tpm.  Remembers at most 128 KiB of a JSON body: its end, where all providers write their
// usage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "llm/dialect.hpp"
#include "proxy/answer/answer_watcher.hpp"

namespace akr {

class UsageCount final : public AnswerWatcher {
 public:
  explicit UsageCount(const Dialect& dialect) : dialect_(dialect) {}

  void see_event(const SseEventView& event, bool cut) override;
  void see_piece(std::string_view json) override;
  bool done() const override { return false; }  // usage comes last
  // The body is over, or cut.  nullopt: it did not say.
  std::optional<std::uint64_t> total();

 private:
  const Dialect& dialect_;
  bool cut_ = false;  // the beginning of the JSON is gone
  std::string text_;
  TokenUsage usage_;
};

// The object behind the last member of a JSON text whose name begins so ("usage" or "usageMetadata"), with its name:
// "\"usage\":{...}"; "" if there is none.  The beginning of the text may be missing.  Inside of strings quotes are
// escaped, so no text can look like one.  One walk over the text, whatever it holds.
std::string_view last_usage_member(std::string_view json, std::string_view name = "\"usage");

}  // namespace akr
