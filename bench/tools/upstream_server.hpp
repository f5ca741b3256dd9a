// The fake provider: HTTP/1.1 with keep-alive, one thread, answering from fixed bytes.
//
//   path contains /sse    event stream, ?rate= events per second, ?seconds= until it ends (0: never)
//   path contains /bulk   download of ?bytes=, 1 MiB unless said otherwise
//   path contains /wave   from now on every key gets ?status=; 0 ends it
//   anything else         an 870-byte JSON answer, or the refusal that KeyScript has for the request's key
//
// Request bodies need a Content-Length and are thrown away.  Requests are not pipelined.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "key_script.hpp"
#include "sockets.hpp"

namespace akr::bench {

struct StreamDefaults {
  double events_per_second = 10;
  double seconds = 0;
};

class UpstreamServer {
 public:
  UpstreamServer(const sockaddr_in& address, StreamDefaults defaults, KeyScript keys = {});
  ~UpstreamServer();

  std::uint16_t port() const;

  // Serves until SIGTERM or SIGINT.
  void run();

  struct Totals {
    std::uint64_t requests = 0;
    std::uint64_t events = 0;
    std::uint64_t skipped_events = 0;  // due while the stream's receiver was not reading
  };
  const Totals& totals() const { return totals_; }
  const KeyScript& keys() const { return keys_; }

 private:
  struct Connection;

  void accept_all();
  void on_readable(Connection& connection);
  void consume(Connection& connection, std::string_view data);
  void begin_request(Connection& connection, std::string_view target, std::string_view head);
  void answer(Connection& connection);
  void answer_stream(Connection& connection);
  void send_due_events(std::int64_t now);
  void send_event(Connection& connection, std::int64_t now);
  void send(Connection& connection, std::string_view data);
  void flush(Connection& connection);
  void wait_for_write(Connection& connection, bool wanted);
  void end_stream(Connection& connection);
  void close(Connection& connection);

  Fd listener_;
  Epoll epoll_;
  StreamDefaults defaults_;
  KeyScript keys_;
  Totals totals_;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> closed_;  // kept until the batch of events that may name them is done
  std::vector<Connection*> streams_;
  std::int64_t next_sweep_ns_ = 0;
  std::vector<char> block_;
};

}  // namespace akr::bench
