// downstream.hpp - one client connection: its current request, the body still to come, and what may be sent back.
//
// Made by Server for each accepted connection; a RequestHandler sees it for one request at a time.  One worker.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/ip_address.hpp"
#include "base/result.hpp"
#include "net/http/chunked.hpp"
#include "net/http/http1.hpp"
#include "net/http/message_slot.hpp"
#include "net/loop/budget.hpp"
#include "net/loop/buffer.hpp"
#include "net/loop/stream.hpp"
#include "net/loop/task.hpp"
#include "net/server/places.hpp"
#include "net/server/trusted_proxies.hpp"

namespace akr::net {

struct ServerLimits {
  std::chrono::milliseconds head_timeout{30'000};       // whole head, from its first byte
  std::chrono::milliseconds body_timeout{30'000};       // longest gap in a body
  std::uint32_t body_min_rate = 240;                    // bytes per second, after three such gaps; 0 = any
  std::chrono::milliseconds body_total{21'600'000};     // the whole body
  FramingLimits framing;                                // of chunked bodies
  std::chrono::milliseconds send_timeout{60'000};       // a client that reads nothing
  std::chrono::milliseconds keepalive_timeout{75'000};  // D39
  // Of a new connection: PROXY header, TLS handshake, and the wait for the first byte of a request, each.
  std::chrono::milliseconds new_connection_timeout{10'000};
  PlaceLimits places;  // of one worker
  TrustedProxies trusted;
  bool proxy_protocol = false;  // trusted peers begin with a PROXY header
  // Memory for clients that nobody knows yet, all workers together (UNAUTHENTICATED_MEMORY); nullptr = no limit.
  // Outlives the server.
  Budget* strangers = nullptr;
};

class Downstream {
 public:
  // `peer`: the other end of the connection, or whom its PROXY header names.
  Downstream(std::unique_ptr<Stream> stream, const ServerLimits& limits, const IpAddress& peer);

  Stream& stream() { return *stream_; }
  Socket& socket() { return stream_->socket(); }
  Worker& worker() { return stream_->worker(); }
  const ServerLimits& limits() const { return limits_; }
  // Who sent the current request: the peer, or whom a trusted peer names (TRUSTED_PROXIES).  Changes with each request.
  std::string_view client_ip() const { return client_ip_; }
  // Does that client speak https, to us or to a trusted peer?
  bool client_https() const { return https_; }

  // The current request.  Valid until release_head().
  const MessageHead& head() const { return slot_->head; }
  // Gives the head's memory back before a long answer; kept when bytes of a next request are in it.
  void release_head();

  // The client has shown who it is: the memory of this request is no stranger's any more.
  void recognise() {
    known_ = true;
    memory_.release();
  }
  // For what a handler keeps of a client that has not.
  BudgetShare stranger_share() const { return BudgetShare(limits_.strangers); }

  // --- the request body, decoded ---
  bool body_finished() const { return body_finished_; }
  // The whole body if all its bytes are here already and it needs no decoding.  Costs nothing; try it first.
  bool take_buffered_body(std::string_view& body);
  // The next run of bytes, in memory that is valid until the next call; kEof at the end of the body.
  // kWouldBlock: wait for `want`.  kError: cut (error = ECONNRESET), badly framed (EPROTO), or framed with more bytes
  // than its data is worth (E2BIG); ENOBUFS: there is no memory for strangers.  body_error() has the words.
  IoResult try_read_body(std::string_view& data);
  // Says "100 Continue" if the client waits for it and has sent nothing of the body yet.
  void send_continue();
  // Deadline for the next byte of the body, given how many came so far.
  TimePoint body_deadline() const;
  std::uint64_t body_received() const { return body_received_; }
  // What limits of a body's length count: its bytes, and the framing beyond what every body may have.
  std::uint64_t body_counted() const;
  // Why the body failed: `error` as try_read_body() said, or ETIMEDOUT after a wait until body_deadline().
  Error body_error(int error) const;

  // --- the answer ---
  // What a handler must set so that the connection ends correctly.
  bool answered() const { return answered_; }  // a head was sent
  void mark_answered() { answered_ = true; }
  bool keep_alive() const { return keep_alive_; }
  void forbid_keep_alive() { keep_alive_ = false; }  // answer with "Connection: close"
  // The answer was cut and its end must not look clean.  `reset`: only RST shows that (a body that ends with the
  // connection); else the missing chunk or length does, and what was sent is still delivered.
  void mark_broken(bool reset) {
    broken_ = true;
    reset_ = reset;
    keep_alive_ = false;
  }
  TimePoint send_deadline() const;
  // A complete small answer.  `fields` are whole lines ("Name: value\r\n"); Content-Length and Connection are added.
  // Best effort: a client that left is not an error.
  Task<void> reply(int status, std::string fields, std::string body);
  // Takes the connection over (websocket): bytes that came after the head, then whatever the stream brings.
  std::string_view early_bytes() const { return {slot_->buffer.data() + slot_->begin, slot_->end - slot_->begin}; }

  // --- from request to request: called by the Server, in this order ---
  enum class Next : std::uint8_t {
    kRequest,  // head() is a request
    kRefuse,   // refusal() says why it is none, or came too slowly; reply(), then linger()
    kClose,    // the connection ended, or brought nothing in time
  };
  // Waits for a request and parses its head.  Between requests the connection holds no buffer.
  Task<Next> next_request();
  // kNone: the head came too slowly.
  HeadError refusal() const;
  const IpAddress& peer() const { return peer_; }
  bool peer_is_trusted() const { return trusted_peer_; }
  void note_client(const ForwardedClient& client);
  // Ends the request: what is left of its body is swallowed if it is small and already here.  False: the answer was
  // cut, and the connection is as closed as mark_broken() asked for.
  [[nodiscard]] bool finish_request();
  // True if a close now could destroy an answer that the client has not read yet: linger() first.
  bool must_linger() const { return !client_closes_ || !body_finished_; }
  Task<void> linger();
  // True: nothing of a next request is here.
  bool become_idle();
  bool idle() const { return idle_; }  // closed at once by a drain

 private:
  Next refuse();
  IoResult read_more();
  bool may_hold(std::size_t bytes) { return known_ || memory_.grow_to(bytes); }
  void keep_rest();
  void begin_body();
  TimePoint rate_deadline() const;
  std::string body_timer() const;

  std::unique_ptr<Stream> stream_;
  const ServerLimits& limits_;
  const IpAddress peer_;
  std::string client_ip_;
  MessageSlotPtr slot_;
  BudgetShare memory_;  // slot_, once it has grown, of a client that is not known
  ChunkedDecoder decoder_;
  std::uint64_t body_left_ = 0;
  std::uint64_t body_received_ = 0;
  TimePoint body_started_{};
  BodyKind body_kind_ = BodyKind::kNone;
  HeadError refusal_ = HeadError::kNone;  // ours, not the parser's
  bool known_ = false;
  bool body_finished_ = true;
  bool continue_due_ = false;
  bool head_request_ = false;
  bool answered_ = false;
  bool keep_alive_ = true;
  bool broken_ = false;
  bool reset_ = false;
  bool client_closes_ = false;  // the client asked for the close: it waits for ours
  const bool trusted_peer_;
  bool https_ = false;
  bool served_ = false;  // had a request before
  bool idle_ = true;     // between requests
};

class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // Answers client.head().  Returns when the answer is complete or the connection is marked broken.
  virtual Task<void> handle(Downstream& client) = 0;
  // The answer to a head that could not be parsed; the connection is closed after it.
  virtual void refused(Downstream& client, HeadError error, int& status, std::string& fields, std::string& body) = 0;
  // May this request use a place that is kept for operators (health, metrics, admin)?
  virtual bool for_operators(const MessageHead& head) const = 0;
  // The answer to a request for which there is no place.
  virtual void crowded(Downstream& client, NoPlace why, int& status, std::string& fields, std::string& body) = 0;
};

std::string_view reason_phrase(int status);

}  // namespace akr::net
