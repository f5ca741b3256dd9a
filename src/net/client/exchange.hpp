// exchange.hpp - one request over one upstream connection, up to the head of its answer.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "net/client/upstream_pool.hpp"
#include "net/http/message_slot.hpp"
#include "net/loop/client_watch.hpp"
#include "net/loop/outgoing.hpp"
#include "net/loop/task.hpp"

namespace akr::net {

// Where a request's body comes from.  One use per attempt.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next run of bytes, valid until the next call.  kEof at the end; kWouldBlock: wait for the client's socket;
  // kError: the client was cut or framed badly (error as in Downstream::try_read_body).
  virtual IoResult next(std::string_view& run) = 0;
  // Wrap each run as a chunk (the length is not known).
  virtual bool chunked() const { return false; }
  // Longest wait for the client's next byte; only asked after kWouldBlock.
  virtual TimePoint deadline() const { return TimePoint::max(); }
};

struct ExchangeLimits {
  std::chrono::milliseconds first_byte{30'000};  // from the last byte sent to the complete head
  std::chrono::milliseconds send{60'000};        // an upstream that does not read
  TimePoint total = TimePoint::max();
  // The request may go out again elsewhere: a reused connection whose peer acknowledges nothing, not even after two
  // retransmissions, ends as kClosed (a firewall or NAT forgot it: no FIN, no RST, only silence).
  bool may_resend = false;
  int most_interim = std::numeric_limits<int>::max();  // answers before the real one; more are kProtocol
};

enum class ExchangeEnd : std::uint8_t {
  kAnswered,
  kClosed,  // EOF or reset before a complete head
  kFirstByte,
  kTotal,
  kSend,      // which timer fired
  kProtocol,  // not valid HTTP, or (error = E2BIG) too many interim answers
  kClientGone,
  kClientBody,  // the client's own body failed; see error
  kCancelled,   // shutdown
};

struct ExchangeResult {
  ExchangeEnd end = ExchangeEnd::kAnswered;
  int error = 0;
  std::uint64_t sent = 0;   // bytes of this request that left
  bool complete = false;    // the whole request left
  bool any_answer = false;  // at least one byte came back
  // kClosed on a reused connection: the peer cannot have read a byte of the request (it had closed before).
  bool never_arrived = false;
};

struct ExchangeRequest {
  std::string_view head;       // valid until the first suspension only: what is left of it is copied then
  BodySource* body = nullptr;  // nullptr = none
  bool head_method = false;    // the answer to HEAD has no body
  ExchangeLimits limits;
};

// Sends and reads at the same time: an answer that comes early ends the sending.  Interim answers (1xx but 101) are
// dropped.  `client` may be nullptr if the body never waits for one.  On kAnswered `answer` holds the final head, and
// the bytes after it in unread().
Task<ExchangeResult> exchange(UpstreamConnection& connection, ExchangeRequest request, ClientWatch* client,
                              MessageSlotPtr& answer);

}  // namespace akr::net
