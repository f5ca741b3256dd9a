// The load generator's connections and event loop.  A mode (closed, rate, ...) decides when a connection sends; the
// engine sends, reads and tells the mode what came of it.  One thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "response_reader.hpp"
#include "sockets.hpp"

namespace akr::bench {

struct Connection {
  Fd fd;
  ResponseReader reader;
  std::uint64_t unsent = 0;  // bytes of the request still to be sent
  bool waits_for_write = false;
  std::int64_t intended_ns = 0;  // for the modes' use: when the request should have left
};

// What is sent, the same for every request: the head, and a body of `body_bytes` made of one repeated letter.
struct RequestBytes {
  std::string head;
  std::uint64_t body_bytes = 0;
};

class Mode {
 public:
  virtual ~Mode() = default;

  // Called before every wait; starts what is due.  Returns when to be called again at the latest (monotonic clock,
  // negative: only after an event).
  virtual std::int64_t on_time(std::int64_t now_ns) = 0;
  virtual bool finished() const = 0;

  // Part of a response arrived and more will follow.
  virtual void on_progress(Connection&) {}

  // A whole response arrived.  The connection may be used again.
  virtual void on_response(Connection& connection) = 0;

  // The connection broke, or its response made no sense.  It is closed already.
  virtual void on_failure(Connection& connection) = 0;
};

class Engine {
 public:
  Engine(const sockaddr_in& target, RequestBytes request);

  // Opens a connection; nullptr if the target refuses.  It lives as long as the engine.
  Connection* open();

  // Opens it again after a failure or a "Connection: close"; false if the target refuses.
  bool reopen(Connection& connection);

  // Starts one request.  REQUIRES: no request is under way on this connection.  A failure is told through on_failure()
  // from the event loop, never from inside this call.
  void start_request(Connection& connection);

  // Until the mode has finished or the process is asked to stop.
  void run(Mode& mode);

  std::deque<Connection>& connections() { return connections_; }

 private:
  void send_more(Connection& connection);
  void on_readable(Mode& mode, Connection& connection);
  std::string_view next_piece(const Connection& connection) const;

  sockaddr_in target_;
  RequestBytes request_;
  std::string first_piece_;  // the head and, if it is small, the body
  std::string body_block_;
  Epoll epoll_;
  std::deque<Connection> connections_;  // a deque: epoll holds their addresses
  std::vector<char> read_block_;
};

}  // namespace akr::bench
