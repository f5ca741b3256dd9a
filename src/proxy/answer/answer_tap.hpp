// answer_tap.hpp - reads a good answer once on its way down, for everybody who wants to know something of it: what it
// cost, which things it names.  Changes and delays nothing.
//
// Made only if somebody does: ordinary answers have none.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "llm/sse_reader.hpp"
#include "net/http/http1.hpp"
#include "proxy/answer/answer_watcher.hpp"
#include "proxy/answer/body_tap.hpp"
#include "proxy/answer/usage_count.hpp"

namespace akr {

struct Attempt;
struct PinSettings;
struct RequestContext;

// How a body is told.
enum class BodyForm : std::uint8_t { kJson, kEvents };

// nullopt: it cannot be read (compressed, or surely neither JSON nor an event stream).
std::optional<BodyForm> readable_form(const net::MessageHead& answer);

class AnswerTap final : public BodyTap {
 public:
  // Either may be nullptr.
  AnswerTap(BodyForm form, std::unique_ptr<UsageCount> usage, std::unique_ptr<AnswerWatcher> pins);

  void take(std::string_view data) override;
  bool done() const override;
  // The body is over, or cut: its tokens.  nullopt: it did not say, or nobody asked.
  std::optional<std::uint64_t> finish();

 private:
  void tell_event();

  const BodyForm form_;
  const std::unique_ptr<UsageCount> usage_;
  const std::unique_ptr<AnswerWatcher> pins_;
  std::array<AnswerWatcher*, 2> watchers_;  // nullptr: there is none
  SseReader reader_;
  bool begun_ = false;    // of a JSON body more than blanks came
  bool no_json_ = false;  // whatever its type says, or leaves open
};

// For an answer that is about to go down.  nullptr: nobody wants to know anything of it.
std::unique_ptr<AnswerTap> tap_answer(const RequestContext& ctx, const Attempt& answered, const PinSettings& pins);

}  // namespace akr
