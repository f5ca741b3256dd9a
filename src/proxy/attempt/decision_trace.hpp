// decision_trace.hpp - why a request went out with the keys it did: per step the choice, the outcome, what it cost the
// key.
//
// Plain and of fixed size for as many steps as a request that succeeds usually takes; only more of them allocate. Holds
// no secret: keys appear as fingerprints.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.hpp"
#include "core/keys/key_state.hpp"
#include "core/outcome/verdict.hpp"
#include "core/service/url.hpp"

namespace akr {

class DecisionTrace {
 public:
  // Where the next choice is to be noted: for SelectRequest::trace.  May be called again if the choice is made again.
  SelectTrace& next_choice();
  // What the choice came to.
  void took(std::string_view fingerprint);
  void found_nobody(ErrorCode why);
  // Where the attempt with the key taken last goes, of several URLs.  `url` outlives the trace.
  void goes_to(std::uint32_t index, const UpstreamUrl& url);
  // From now on a fallback service serves.  `slug` outlives the trace.
  void moves_to(const std::string& slug) { service_ = &slug; }
  // Of the attempt with the key taken last.  `rule`: index of the service's rule that decided, -1 = none did.
  void ended(int status, const Verdict& verdict, int rule);

  // Which of a request's marks named its conversation; static storage, and never the mark's value.
  void know_conversation_by(std::string_view mark) { conversation_ = mark; }
  std::string_view conversation() const { return conversation_; }

  bool empty() const { return count_ == 0; }
  // Did the last choice find nobody, or did the last attempt end so that another key could have helped?
  bool lost() const;
  // Enabled keys that the last choice passed over.
  std::uint32_t skipped() const;
  // [{"key":"1a2b3c4d","tier":0,"skipped":{"cooling":2},"status":429,"outcome":"http_429","action":"cool",...}, ...]
  // with "upstream":1,"host":"b.example.com" behind the key where a service has several URLs, and "service":"slug" in
  // front where a fallback took over; the first step has "conversation":"x-session-id".
  std::string json() const;

 private:
  struct Step {
    SelectTrace choice;
    std::array<char, 8> key = {};
    std::string_view outcome;               // static storage
    Duration cool_for{-1};                  // the provider's or the rule's; -1 = the pool decides
    const std::string* service = nullptr;   // slug of the fallback
    const UpstreamUrl* upstream = nullptr;  // of several
    KeyAction action = KeyAction::kNone;
    Scope scope = Scope::kKey;
    RetryAdvice retry = RetryAdvice::kReturn;
    std::int16_t status = 0;
    std::int16_t rule = -1;
    std::uint8_t upstream_index = 0;
    bool taken = false;
    bool ended = false;
  };
  static constexpr std::size_t kInline = 2;

  Step& at(std::size_t index) { return index < kInline ? first_.steps[index] : more_[index - kInline]; }
  const Step& at(std::size_t index) const { return index < kInline ? first_.steps[index] : more_[index - kInline]; }
  static void write(const Step& step, std::string_view conversation, std::string& out);

  // A step is made when it begins: most requests have one, and pay for one.
  union Storage {
    Storage() {}  // NOLINT(modernize-use-equals-default)
    std::array<Step, kInline> steps;
  };
  static_assert(std::is_trivially_destructible_v<Step> && std::is_trivially_copyable_v<Step>);

  std::string_view conversation_;
  const std::string* service_ = nullptr;
  Storage first_;
  std::vector<Step> more_;
  std::size_t count_ = 0;
};

}  // namespace akr
