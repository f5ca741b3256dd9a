// server.hpp - one worker's listener and client connections: accept, keep-alive loop, drain.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "net/loop/worker.hpp"
#include "net/server/downstream.hpp"
#include "net/tls/tls.hpp"

namespace akr::net {

// A bound, listening, non-blocking socket with SO_REUSEPORT, so that each worker has its own.  `address` is a literal;
// "::" also takes IPv4 and falls back to 0.0.0.0 where there is no IPv6.  `port` 0 = any; the real one is written back.
//
// kFirst fails (kConflict) if anybody listens there, also with SO_REUSEPORT: that would share the connections with a
// stranger, or with a second gateway.  The others of the same process come after it as kShared.
enum class PortUse : std::uint8_t { kFirst, kShared };
Result<int> open_listener(const std::string& address, std::uint16_t& port, PortUse use = PortUse::kShared);

class Server {
 public:
  // `handler` and `tls` (nullptr = plain) outlive the server.
  Server(Worker& worker, RequestHandler& handler, const ServerLimits& limits, TlsServer* tls);
  ~Server();

  // On the worker's thread from here on.
  void listen(int fd);  // takes ownership
  void stop_listening();
  // Idle connections close; the others close after their current answer.
  void begin_drain();
  // What is still open is cancelled: streams end with their error event.
  void abort_connections();
  std::size_t connections() const { return open_; }  // that may send requests: not those in a TLS handshake
  // Connections that had to leave, and connections or requests for which there was no place.
  std::uint64_t evicted() const { return places_.evicted(); }
  std::uint64_t crowded_out() const { return crowded_out_; }
  // Descriptors ran out: closes one connection that serves no request.  False: there is none.
  bool give_up_connection() { return places_.evict_one(); }
  bool draining() const { return draining_; }

 private:
  struct Membership;
  Task<void> accept_loop();
  bool accept_some();
  void welcome(int fd, const IpAddress& peer);
  Task<void> serve(std::unique_ptr<Stream> transport, IpAddress peer);
  Task<Result<void>> prepare(Place& place, std::unique_ptr<Stream>& transport, IpAddress& peer);
  Task<void> serve_requests(Downstream& client, Place& place);
  NoPlace admit(Downstream& client, const Place& place, AddressShares::Lease& share);
  Task<void> turn_away(Downstream& client, NoPlace why);
  void note_crowd();
  Task<void> refuse(Downstream& client, Place& place);
  Task<void> give_up(Downstream& client, int status);

  Worker& worker_;
  RequestHandler& handler_;
  ServerLimits limits_;
  TlsServer* tls_;
  std::unique_ptr<Socket> listener_;
  Membership* first_ = nullptr;
  std::size_t open_ = 0;
  Places places_;
  std::uint64_t crowded_out_ = 0;
  TimePoint next_crowd_line_{};
  bool paused_ = false;  // no descriptor for the next client
  bool draining_ = false;
};

}  // namespace akr::net
