// server.hpp - one worker's listener and client connections: accept, keep-alive loop, drain.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "net/downstream.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"

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
  std::size_t connections() const { return open_; }
  bool draining() const { return draining_; }

 private:
  struct Membership;
  Task<void> accept_loop();
  bool accept_some();
  Task<void> serve(std::unique_ptr<Stream> transport, std::string client_ip);
  Task<void> serve_requests(Downstream& client);
  Task<void> refuse(Downstream& client);
  Task<void> give_up(Downstream& client, int status);
  void link(Downstream& client);
  void unlink(Downstream& client);

  Worker& worker_;
  RequestHandler& handler_;
  ServerLimits limits_;
  TlsServer* tls_;
  std::unique_ptr<Socket> listener_;
  Downstream* first_ = nullptr;
  std::size_t open_ = 0;
  bool draining_ = false;
};

}  // namespace akr::net
