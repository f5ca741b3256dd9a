// attempt.hpp - one try against an upstream and what it came to: an answer whose body is still to be relayed, or an
// error.  All that is true of this try alone stands here, so that an older one can take its place again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/keys/key_pool.hpp"
#include "core/outcome/retry_policy.hpp"
#include "core/service/upstream_set.hpp"
#include "net/client/exchange.hpp"
#include "net/client/upstream_pool.hpp"
#include "net/http/body_decoder.hpp"
#include "net/http/message_slot.hpp"
#include "proxy/answer/answer_tap.hpp"
#include "proxy/request/headers.hpp"
#include "proxy/request_context.hpp"
#include "upstream/judge.hpp"

namespace akr {

struct Attempt {
  ServedBy by;
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
  // Takes what has come of the body into `held`, up to about `most` bytes of it.  kOk: something did.  kWouldBlock:
  // wait. kEof: nothing more will be held.  kError: it broke off, or (EPROTO) is framed badly.  `block` is the
  // caller's, leased as long as there is something to read.
  net::IoResult hold_more(std::size_t most, net::Buffer& block);
  // What is held, for people and for judging: without its content coding (at most 1 MiB of it), and without the key.
  std::string legible() const;
  // The connection of an attempt whose answer nobody will read is still good if the answer is complete.
  void give_back();

  // What it came to; each is called once.
  void fail_to_connect(const Error& why, TimePoint now);
  void fail(const RequestContext& ctx, const net::ExchangeResult& result);  // no answer, or one that broke off
  void accept(TimePoint now);                                               // the answer is good by its status
  void settle(Judgement judgement, TimePoint now);                          // it is an error, whatever its status

 private:
  void forget_estimate(TimePoint now);
};

}  // namespace akr
