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

// What a request was for.
struct Asked {
  // Something that is made at once, or our own question: a good status may hide an error.  Elsewhere an error in the
  // answer may be what was asked for, the state of a thing that failed.
  bool at_once = false;
  // An answer of a model that is known: a permission that is refused concerns the key.  Elsewhere it concerns this
  // operation only.
  bool model = false;
};

// Judges the answers of one service that is spoken to in one dialect.  Two pointers and a dialect: made when needed.
class Judge {
 public:
  // `service` outlives the judge.
  Judge(const RoutedService& service, const UpstreamSpeech& upstream, const Asked& asked)
      : rules_(service.rules.get()), upstream_(upstream), asked_(asked) {}

  // An answer with an error status.
  Judgement error(const net::MessageHead& answer, std::string_view body) const;
  // A 2xx answer by its body: a rule that fits, or an LLM provider's error in disguise.  nullopt: it is good.
  std::optional<Judgement> success(const net::MessageHead& answer, std::string_view body) const;
  // The same for an event in the beginning of a 200 stream.
  std::optional<Judgement> event(const net::MessageHead& answer, const SseEventView& event) const;
  // An answer of any status, whose body is here as far as it is looked at.
  Judgement answer(const net::MessageHead& answer, std::string_view body) const;

  // What an error answer says, in core's words: the provider's reading for LLM services, the head's hints for others.
  UpstreamFailure understand(const net::MessageHead& answer, std::string_view body) const;

 private:
  ErrorDetail detail_of(const net::MessageHead& answer, std::string_view body) const;
  std::optional<Judgement> by_rules(const net::MessageHead& answer, std::string_view body) const;
  bool may_hold_error(std::string_view text) const;
  Verdict verdict_of(const UpstreamFailure& failure) const;
  Judgement of_detail(ErrorDetail detail) const;

  const FailureRules* rules_;
  UpstreamSpeech upstream_;
  Asked asked_;
};

// When the provider's own counters say that nothing is left of one of them: the time until it is full again.
std::optional<Duration> nothing_left(const net::MessageHead& answer);

// A failure to connect.
void judge_connect(const Error& error, AttemptFacts& facts);

AttemptEnd end_of(net::ExchangeEnd end);
// The code of the error for an exchange without an answer.  A client's own body has reasons of its own.
ErrorCode error_of(net::ExchangeEnd end);

// The time that an answer's head tells to wait; nullopt: it tells none.
std::optional<Duration> told_wait(const net::MessageHead& answer);

}  // namespace akr
