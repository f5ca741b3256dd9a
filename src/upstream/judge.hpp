// judge.hpp - what an upstream's answer came to, for requests and for our own calls alike: the service's rules, then
// the provider's knowledge, then core's table (behaviour.md section 2).  The seam between net, llm and core.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/outcome/outcome.hpp"
#include "core/outcome/retry_policy.hpp"
#include "llm/provider.hpp"
#include "net/client/exchange.hpp"
#include "upstream/routed_service.hpp"

namespace akr {

// What an answer came to.
struct Judgement {
  Verdict verdict;
  int status = 0;            // of the answer, or the one that its body means
  int rule = -1;             // index of the service's rule that decided; -1 = none did
  std::string message = {};  // the provider's words, not redacted; "" if there are none
};

// Judges the answers of one service that is spoken to in one dialect.  Two pointers and a dialect: made when needed.
class Judge {
 public:
  // `service` outlives the judge.  `generates`: the request asked for something to be made at once.  Only then may a
  // good status hide an error: elsewhere an error that stands in an answer may be what was asked for, the state of a
  // thing that failed.
  Judge(const RoutedService& service, const UpstreamSpeech& upstream, bool generates)
      : rules_(service.rules.get()), upstream_(upstream), generates_(generates) {}

  // What an error answer says, in core's words: the provider's reading for LLM services, the head's hints for others.
  // `words`, if given, gets the provider's message.
  UpstreamFailure understand(const net::MessageHead& answer, std::string_view body, std::string* words = nullptr) const;

  // An answer with an error status.
  Judgement error(const net::MessageHead& answer, std::string_view body) const;
  // A 2xx answer by its body: a rule that fits, or an LLM provider's error in disguise.  nullopt: it is good.
  std::optional<Judgement> success(const net::MessageHead& answer, std::string_view body) const;
  // The same for an event in the beginning of a 200 stream.
  std::optional<Judgement> event(const net::MessageHead& answer, const SseEventView& event) const;
  // An answer of any status, whose body is here as far as it is looked at.
  Judgement answer(const net::MessageHead& answer, std::string_view body) const;

 private:
  std::optional<Judgement> by_rules(const net::MessageHead& answer, std::string_view body) const;
  bool may_hold_error(std::string_view text) const;

  const FailureRules* rules_;
  UpstreamSpeech upstream_;
  bool generates_;
};

// When the provider's own counters say that nothing is left of one of them: the time until it is full again.
std::optional<Duration> nothing_left(const net::MessageHead& answer);

// A failure to connect.
void judge_connect(const Error& error, AttemptFacts& facts);

AttemptEnd end_of(net::ExchangeEnd end);

}  // namespace akr
