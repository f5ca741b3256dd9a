// verdict.hpp - what an attempt means: for the key, for the endpoint, for the request.  Plain values.
//
// classify() (outcome.hpp) makes a Verdict, KeyPool::report() applies its key part, proxy/attempt/attempts its request
// part.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/failure.hpp"

namespace akr {

enum class KeyAction {
  kNone,        // not the key's fault: state and counters stay as they are
  kGood,        // lifts the cooldown of the scope, sets consecutive failures to 0
  kCool,        // skip until now + cool_for; unless that is announced() KeyPool escalates (60 s doubling to 900 s)
  kExhaust,     // out of quota: 1 h doubling to 24 h without a hint
  kSuspect,     // 401-like: invalid after 2 consecutive within 10 min, until then nothing
  kForbid,      // 403-like: cool 300 s; 3 consecutive -> exhausted 1 h
  kInvalidate,  // the provider said so explicitly: invalid at once
};

enum class Scope { kKey, kKeyModel, kGroup, kGroupModel };  // what a cooldown covers
enum class RetryAdvice {
  kReturn,   // the answer belongs to the request: give it to the client
  kNextKey,  // same request, another key
  kSameKey,  // another attempt is fine, another key is not needed (upstream trouble)
};
enum class EndpointEffect { kNone, kOk, kFail };

struct Verdict {
  KeyAction key = KeyAction::kNone;
  Scope scope = Scope::kKey;
  std::optional<Duration> cool_for = std::nullopt;  // how long, clamped; nullopt = nobody said
  WaitSource wait_from = WaitSource::kProvider;     // of cool_for
  bool lacks_model = false;      // kCool: the key has no access to the request's model; waiting does not give it any
  bool denies_access = false;    // kCool: the key may not do this, or lacks_model; most keys of a pool may lack it
  bool refuses_address = false;  // the provider refuses our address or country, whichever key comes with it
  RetryAdvice retry = RetryAdvice::kReturn;
  EndpointEffect endpoint = EndpointEffect::kNone;
  // Stable code of static storage for logs, traces and the UI: "ok", "http_429", "insufficient_quota", ...
  std::string_view reason = "ok";

  // The provider, or the operator's rule, says how long; all other waits are guesses of ours.
  bool announced() const { return cool_for && wait_from != WaitSource::kDefault; }
};

}  // namespace akr
