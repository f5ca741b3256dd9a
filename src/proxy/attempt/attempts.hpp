// attempts.hpp - tries keys, URLs and fallback services until one answers or the budget is spent.  Never sends anything
// downstream, so "no retry after the first byte" is a property of the call structure.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/keys/key_pool.hpp"
#include "core/outcome/outcome.hpp"
#include "core/outcome/retry_policy.hpp"
#include "net/client/exchange.hpp"
#include "net/client/upstream_pool.hpp"
#include "net/http/body_decoder.hpp"
#include "net/loop/task.hpp"
#include "proxy/answer/answer_tap.hpp"
#include "proxy/attempt/first_event.hpp"
#include "proxy/attempt/judge.hpp"
#include "proxy/request/headers.hpp"
#include "proxy/request/prepare.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// One try against an upstream and what it came to: an answer whose body is still to be relayed, or an error.
struct Attempt {
  std::optional<Error> error;          // no usable answer; what the client is told
  net::UpstreamConnection connection;  // set with answer
  net::MessageSlotPtr answer;          // its head, and the bytes read behind it
  net::BodyDecoder body;               // of the answer
  std::string held;                    // beginning of the body without framing, read to be judged; goes down first
  std::optional<PlainBody> plain;      // the body is not the upstream's own: it is `held`, whole (packed_error.hpp)
  bool failed = false;                 // the answer was judged to be an error, whatever its status
  KeyLease lease;                      // the key stays in use until the answer has been relayed or dropped
  UpstreamLease upstream;              // of services with several URLs
  AttemptFacts facts;
  int rule = -1;                          // index of the service's rule that decided
  std::chrono::milliseconds retry_in{0};  // the client may come back sooner than the answer says; 0 = as it says
  std::unique_ptr<AnswerTap> tap;         // set by the gateway: sees the body on its way down

  // Is it an error that goes down, in which the key must not be (D07)?
  bool is_error() const { return failed || answer->head.status() >= 300; }
  // Moves bytes of the body into `held`: from the front of `input`, or those that came with the head.
  void hold(std::string_view& input);
  void hold_unread();
  // What is held, for people and for judging: without its content coding (at most 64 KiB of it), and without the key.
  std::string legible() const;
  // The connection of an attempt whose answer nobody will read is still good if the answer is complete.
  void give_back();
};

struct AttemptSettings {
  std::chrono::milliseconds send_timeout{60'000};
  int most_interim = 100'000;  // 1xx answers before the real one
  // The proxy for services without one of their own (USE_ENV_PROXY); empty function = none.
  std::function<std::string(const UpstreamUrl&)> env_proxy;
};

class Attempts {
 public:
  Attempts(net::Worker& worker, net::UpstreamPool& pool, AttemptSettings settings);
  // Returns the answer to relay, or the error to tell: the last real answer if keys or attempts ran out, or
  // kNoKeysConfigured, kAllKeysCooling, kCredentialsExhausted, kUpstream*, kClientGone.  A request that is pinned
  // (ctx.pinned) uses that key only: kPinnedKeyUnavailable if it may not be used or the provider refuses it.
  net::Task<Attempt> run(RequestContext& ctx, PreparedRequest& request);

 private:
  net::Task<void> send_once(RequestContext& ctx, PreparedRequest& request, Attempt& attempt);
  net::Task<net::ExchangeResult> send_on(RequestContext& ctx, PreparedRequest& request, Attempt& attempt);
  net::Task<Result<void>> connect(const RequestContext& ctx, net::UpstreamOrigin origin, Attempt& attempt);
  Result<KeyLease> take_key(RequestContext& ctx);
  bool keep_key(const RequestContext& ctx, Attempt& last, const Error& refused);
  void begin(RequestContext& ctx, Attempt& attempt, KeyLease lease);
  void end(RequestContext& ctx, const PreparedRequest& request, Attempt& attempt);
  bool worth_waiting(const RequestContext& ctx, const Error& refused) const;
  net::Task<Result<KeyLease>> wait_for_key(RequestContext& ctx, Error refused);
  void judge_failure(RequestContext& ctx, const net::ExchangeResult& result, Attempt& attempt);
  void settle(Attempt& attempt, Judgement judgement);
  void accept(RequestContext& ctx, Attempt& attempt);

  // attempt_answer.cpp: looks at answers before any of their bytes goes down.
  net::Task<void> judge_answer(RequestContext& ctx, Attempt& attempt);
  net::Task<void> read_beginning(Attempt& attempt, std::size_t most, Duration longest);
  net::Task<bool> read_first_event(RequestContext& ctx, Attempt& attempt, FirstEvent& first);
  // What is looked for in the beginning of a stream.
  struct StreamLook {
    FirstEvent& event;
    const Dialect* content_of = nullptr;  // not the first event, but the first with content
    std::size_t most = 0;                 // bytes held for it
    TimePoint deadline{};
  };
  static bool found(const StreamLook& look, std::string_view stream);
  net::Task<bool> hold_stream(RequestContext& ctx, Attempt& attempt, StreamLook look);
  // retry_on_empty (D33): the answer is complete and holds nothing.
  net::Task<bool> is_empty_stream(RequestContext& ctx, Attempt& attempt, FirstEvent& first, bool seen);
  net::Task<bool> is_empty_body(RequestContext& ctx, Attempt& attempt);
  std::optional<Judgement> look_at_whole(const RequestContext& ctx, Attempt& attempt);

  net::Worker& worker_;
  net::UpstreamPool& pool_;
  AttemptSettings settings_;
  int waiting_ = 0;  // requests that wait for a key
};

}  // namespace akr
