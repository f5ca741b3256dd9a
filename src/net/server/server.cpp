#include "net/server/server.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.hpp"
#include "net/loop/shortage.hpp"
#include "net/server/proxy_protocol.hpp"

namespace akr::net {
namespace {

constexpr int kBacklog = 4096;
constexpr std::chrono::milliseconds kOutOfDescriptors{100};

// When not even a reserved place is free, nobody reads the request any more.  Over TLS there is only the close.
const std::string& no_place_at_all() {
  static const std::string kText = [] {
    const std::string body =
        R"({"detail":"all connections are in use, the reserved ones too (MAX_CONNECTIONS, RESERVED_CONNECTIONS); )"
        R"(try again later","code":"overloaded"})";
    return "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\nRetry-After: 1\r\n"
           "X-Rotator-Error-Source: gateway\r\nConnection: close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }();
  return kText;
}

constexpr std::chrono::seconds kCrowdLines{10};  // at most one line in that time

IpAddress address_of(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage).sin_addr;
    return ip_from_bytes({reinterpret_cast<const std::uint8_t*>(&v4), sizeof v4});
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
  return ip_from_bytes({reinterpret_cast<const std::uint8_t*>(&v6), sizeof v6});
}

Error listen_error(const std::string& address, std::uint16_t port, int code) {
  if (code == EADDRINUSE) {
    return {ErrorCode::kConflict,
            "BACKEND_PORT " + std::to_string(port) + " is in use (LISTEN_ADDRESS " + address +
                "): another gateway or program listens there; stop it, or choose another port",
            "BACKEND_PORT"};
  }
  return {ErrorCode::kInvalid, "cannot listen on " + address + " port " + std::to_string(port) + ": " +
                                   std::generic_category().message(code)};
}

Result<int> bind_listener(const sockaddr* address, socklen_t length, const std::string& text, std::uint16_t port,
                          PortUse use) {
  const int fd = ::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return listen_error(text, port, errno);
  const int on = 1;
  const int off = 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // connections of a process that is gone do not count
  if (use == PortUse::kShared) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (address->sa_family == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd, address, length) != 0 || ::listen(fd, kBacklog) != 0) {
    const Error error = listen_error(text, port, errno);
    ::close(fd);
    return error;
  }
  // Only now that the port is ours: of two that start at once, one finds the other listening.
  if (use == PortUse::kFirst) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  return fd;
}

bool somebody_waits(int listener) {
  pollfd backlog = {.fd = listener, .events = POLLIN, .revents = 0};
  return ::poll(&backlog, 1, 0) > 0;
}

}  // namespace

Result<int> open_listener(const std::string& address, std::uint16_t& port, PortUse use) {
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  Result<int> fd = Error{ErrorCode::kInvalid, "'" + address + "' is not an IPv4 or IPv6 address", "LISTEN_ADDRESS"};
  if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    fd = bind_listener(reinterpret_cast<sockaddr*>(&v6), sizeof v6, address, port, use);
    const bool no_ipv6 = !fd && fd.error().code != ErrorCode::kConflict;
    if (no_ipv6 && address == "::") {
      fd = bind_listener(reinterpret_cast<sockaddr*>(&v4), sizeof v4, "0.0.0.0", port, use);
    }
  } else if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    fd = bind_listener(reinterpret_cast<sockaddr*>(&v4), sizeof v4, address, port, use);
  }
  if (!fd) return fd;
  sockaddr_storage bound = {};
  socklen_t length = sizeof bound;
  ::getsockname(*fd, reinterpret_cast<sockaddr*>(&bound), &length);
  port = ntohs(bound.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(bound).sin_port
                                          : reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
  return fd;
}

Server::Server(Worker& worker, RequestHandler& handler, const ServerLimits& limits, TlsServer* tls)
    : worker_(worker), handler_(handler), limits_(limits), tls_(tls), places_(limits.places) {}

Server::~Server() = default;

void Server::listen(int fd) {
  listener_ = std::make_unique<Socket>(worker_, fd);
  worker_.spawn(accept_loop());
}

void Server::stop_listening() {
  if (listener_) listener_->close();
}

Task<void> Server::accept_loop() {
  while (listener_->open()) {
    if (accept_some()) {
      paused_ = false;
      const WaitEnd end = co_await wait_for(*listener_, kRead, TimePoint::max());
      if (end == WaitEnd::kCancelled) co_return;
    } else {
      // Out of descriptors: try again when some may be free, instead of spinning on a backlog we cannot take.
      if (!paused_) log_warn("accept_paused", {{"reason", "out of file descriptors (RLIMIT_NOFILE)"}});
      paused_ = true;
      const WaitEnd end = co_await sleep_until(worker_, worker_.now() + kOutOfDescriptors);
      if (end == WaitEnd::kCancelled) co_return;
    }
  }
}

// Accepts until the backlog is empty or the listener's budget used up (true), or descriptors ran out (false).
bool Server::accept_some() {
  while (listener_->may_work(kRead)) {
    sockaddr_storage peer = {};
    socklen_t length = sizeof peer;
    const int fd =
        ::accept4(listener_->fd(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      listener_->charge(cost::kConnection);
      welcome(fd, address_of(peer));
      continue;
    }
    const int error = errno;
    if (error == EINTR || error == ECONNABORTED) continue;
    // The kernel looks for a descriptor before it looks for a client: nobody is to leave for one who is not there.
    const bool nobody = own_shortage(error) && !somebody_waits(listener_->fd());
    if (!nobody && (error == EMFILE || error == ENFILE) && worker_.make_room()) continue;
    if (!nobody && own_shortage(error)) return false;
    listener_->clear_ready(kRead);
    return true;
  }
  return true;  // more may wait: in a later turn
}

void Server::welcome(int fd, const IpAddress& peer) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  try {
    worker_.spawn(serve(make_tcp_stream(worker_, fd), peer));
  } catch (const std::exception& failure) {  // epoll's own limit, or no memory; the descriptor is closed
    log_failure("client_not_taken", failure.what());
  }
}

// A connection is in the server's list as long as its coroutine lives, however that ends.
struct Server::Membership {
  Membership(Server& owner, Downstream& member) : server(owner), client(member), next(owner.first_) {
    if (next != nullptr) next->prev = this;
    server.first_ = this;
    ++server.open_;
  }
  ~Membership() {
    (prev != nullptr ? prev->next : server.first_) = next;
    if (next != nullptr) next->prev = prev;
    --server.open_;
  }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  Server& server;
  Downstream& client;
  Membership* prev = nullptr;
  Membership* next;
};

Task<void> Server::serve(std::unique_ptr<Stream> transport, IpAddress peer) {
  Place place;
  // A proxy stands for many clients: they are counted one by one, not it.
  const bool exempt = limits_.trusted.contains(peer);
  if (!places_.enter(place, transport->socket(), exempt ? nullptr : &peer, worker_.now())) {
    note_crowd();
    const std::string& text = no_place_at_all();
    const iovec answer = {const_cast<char*>(text.data()), text.size()};  // NOLINT: not written to
    if (tls_ == nullptr) transport->try_write(&answer, 1);
    co_return;
  }
  const Result<void> prepared = co_await prepare(place, transport, peer);
  if (!prepared) co_return;
  Downstream client(std::move(transport), limits_, peer);
  Membership membership(*this, client);
  co_await serve_requests(client, place);
}

// What comes before the first request: PROXY header, TLS handshake.
Task<Result<void>> Server::prepare(Place& place, std::unique_ptr<Stream>& transport, IpAddress& peer) {
  const Error ended = {ErrorCode::kClientGone, "the connection ended before its first request"};
  if (limits_.proxy_protocol && limits_.trusted.contains(peer)) {
    const ProxyHeader header =
        co_await read_proxy_header(transport->socket(), worker_.now() + limits_.new_connection_timeout);
    if (header.status != ProxyHeader::Status::kDone || place.evicted()) {
      if (!place.evicted()) log_warn("proxy_header_refused", {{"peer", to_text(peer)}});
      co_return ended;
    }
    if (header.source) peer = *header.source;
    if (!limits_.trusted.contains(peer) && !places_.count(place, peer)) co_return ended;
  }
  if (tls_ == nullptr) co_return Result<void>();
  auto secured = co_await tls_->accept(std::move(transport), worker_.now() + limits_.new_connection_timeout);
  if (!secured) co_return secured.error();
  transport = *std::move(secured);
  co_return Result<void>();
}

Task<void> Server::serve_requests(Downstream& client, Place& place) {
  while (!place.evicted() && (!draining_ || !client.idle())) {
    const Downstream::Next next = co_await client.next_request();
    if (next == Downstream::Next::kClose) co_return;
    places_.begin_request(place);
    if (next == Downstream::Next::kRefuse) {
      co_await refuse(client, place);
      co_return;
    }
    AddressShares::Lease share;
    const NoPlace why = admit(client, place, share);
    if (draining_ || place.restricted() != NoPlace::kNone) client.forbid_keep_alive();
    int failed = 0;
    try {
      if (why == NoPlace::kNone) {
        co_await handler_.handle(client);
      } else {
        co_await turn_away(client, why);
      }
    } catch (const std::bad_alloc& failure) {
      failed = 503;
      log_failure("request_failed", failure.what());
    } catch (const std::exception& bug) {
      failed = 500;
      log_failure("request_failed", bug.what());
    }
    if (failed != 0) co_await give_up(client, failed);
    share.release();
    if (!client.finish_request()) co_return;
    places_.end_request(place, worker_.now());
    if (!client.keep_alive() || draining_) {
      if (client.must_linger()) co_await client.linger();
      co_return;
    }
    client.socket().charge(cost::kRequest);
    // The next request may be here already, and the next thousand behind it.
    if (client.become_idle() || client.socket().may_work(kRead)) continue;
    const WaitEnd end = co_await wait_for(client.socket(), kRead, TimePoint::max());
    if (end != WaitEnd::kReady) co_return;
  }
}

// Finds out who asks, and whether there is a place for the request.
NoPlace Server::admit(Downstream& client, const Place& place, AddressShares::Lease& share) {
  NoPlace why = place.restricted();
  if (client.peer_is_trusted()) {
    const ForwardedClient found = forwarded_client(client.head(), client.peer(), limits_.trusted);
    client.note_client(found);
    // The connection is the proxy's; what its client holds is this request.
    if (!limits_.trusted.contains(found.address) && !places_.shares().take(found.address, share)) why = NoPlace::kShare;
  }
  if (why == NoPlace::kNone || handler_.for_operators(client.head())) return NoPlace::kNone;
  return why;
}

Task<void> Server::turn_away(Downstream& client, NoPlace why) {
  note_crowd();
  int status = 503;
  std::string fields;
  std::string body;
  handler_.crowded(client, why, status, fields, body);
  co_await client.reply(status, std::move(fields), std::move(body));
}

void Server::note_crowd() {
  ++crowded_out_;
  if (worker_.now() < next_crowd_line_) return;
  next_crowd_line_ = worker_.now() + kCrowdLines;
  log_warn("connections_full", {{"open", places_.open()},
                                {"refused", crowded_out_},
                                {"evicted", places_.evicted()},
                                {"settings", "MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS"}});
}

// The handler ended with an exception: expected failures are values, so this is a bug or no memory.  Somebody waits all
// the same.
Task<void> Server::give_up(Downstream& client, int status) {
  if (client.answered()) {
    client.mark_broken(true);
    co_return;
  }
  client.forbid_keep_alive();
  std::string fields =
      "Content-Type: application/json\r\nCache-Control: no-store\r\nX-Rotator-Error-Source: gateway\r\n";
  if (status == 503) fields += "Retry-After: 1\r\n";
  std::string body = status == 503 ? R"({"detail":"the gateway is out of memory","code":"overloaded"})"
                                   : R"({"detail":"the request failed inside the gateway","code":"internal"})";
  co_await client.reply(status, std::move(fields), std::move(body));
}

Task<void> Server::refuse(Downstream& client, Place& place) {
  int status = 408;
  std::string fields;
  std::string body;
  handler_.refused(client, client.refusal(), status, fields, body);
  co_await client.reply(status, std::move(fields), std::move(body));
  places_.end_request(place, worker_.now());
  co_await client.linger();
}

void Server::begin_drain() {
  draining_ = true;
  for (Membership* each = first_; each != nullptr; each = each->next) {
    if (each->client.idle()) each->client.socket().cancel();
  }
}

void Server::abort_connections() {
  for (Membership* each = first_; each != nullptr; each = each->next) each->client.socket().cancel();
}

}  // namespace akr::net
