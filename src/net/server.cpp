#include "net/server.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.hpp"

namespace akr::net {
namespace {

constexpr int kBacklog = 4096;
constexpr std::chrono::milliseconds kOutOfDescriptors{100};

std::string address_text(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  if (storage.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, text.data(), text.size());
  }
  constexpr std::string_view kMapped = "::ffff:";
  const std::string_view view = text.data();
  return std::string(view.starts_with(kMapped) ? view.substr(kMapped.size()) : view);
}

Error listen_error(const std::string& address, std::uint16_t port, int code) {
  return {ErrorCode::kInvalid, "cannot listen on " + address + " port " + std::to_string(port) + ": " +
                                   std::generic_category().message(code)};
}

Result<int> bind_listener(const sockaddr* address, socklen_t length, bool v6, const std::string& text,
                          std::uint16_t port) {
  const int fd = ::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return listen_error(text, port, errno);
  const int on = 1;
  const int off = 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (v6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd, address, length) != 0 || ::listen(fd, kBacklog) != 0) {
    const Error error = listen_error(text, port, errno);
    ::close(fd);
    return error;
  }
  return fd;
}

}  // namespace

Result<int> open_listener(const std::string& address, std::uint16_t& port) {
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  Result<int> fd = Error{ErrorCode::kInvalid, "'" + address + "' is not an IPv4 or IPv6 address", "LISTEN_ADDRESS"};
  if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    fd = bind_listener(reinterpret_cast<sockaddr*>(&v6), sizeof v6, true, address, port);
    if (!fd && address == "::") fd = bind_listener(reinterpret_cast<sockaddr*>(&v4), sizeof v4, false, "0.0.0.0", port);
  } else if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    fd = bind_listener(reinterpret_cast<sockaddr*>(&v4), sizeof v4, false, address, port);
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
    : worker_(worker), handler_(handler), limits_(limits), tls_(tls) {}

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
      const WaitEnd end = co_await wait_for(*listener_, kRead, TimePoint::max());
      if (end == WaitEnd::kCancelled) co_return;
    } else {
      // Out of descriptors: try again when some may be free, instead of spinning on a backlog we cannot take.
      log_warn("accept_paused", {{"reason", "out of file descriptors"}});
      const WaitEnd end = co_await sleep_until(worker_, worker_.now() + kOutOfDescriptors);
      if (end == WaitEnd::kCancelled) co_return;
    }
  }
}

// Accepts until the backlog is empty (true) or descriptors ran out (false).
bool Server::accept_some() {
  for (int i = 0; i < 64; ++i) {
    sockaddr_storage peer = {};
    socklen_t length = sizeof peer;
    const int fd =
        ::accept4(listener_->fd(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) return false;
      if (errno == EINTR || errno == ECONNABORTED) continue;
      listener_->clear_ready(kRead);
      return true;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    worker_.spawn(serve(make_tcp_stream(worker_, fd), address_text(peer)));
  }
  return true;  // more may wait: the readiness bit is still set, so the wait returns at once
}

// A connection is in the server's list as long as its coroutine lives, however that ends.
struct Server::Membership {
  Membership(Server& owner, Downstream& member) : server(owner), client(member) { server.link(client); }
  ~Membership() { server.unlink(client); }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  Server& server;
  Downstream& client;
};

Task<void> Server::serve(std::unique_ptr<Stream> transport, std::string client_ip) {
  if (tls_ != nullptr) {
    auto secured = co_await tls_->accept(std::move(transport), worker_.now() + limits_.head_timeout);
    if (!secured) co_return;
    transport = *std::move(secured);
  }
  Downstream client(std::move(transport), limits_, std::move(client_ip));
  const Membership membership(*this, client);
  co_await serve_requests(client);
}

Task<void> Server::serve_requests(Downstream& client) {
  if (open_ > limits_.max_connections) {
    client.forbid_keep_alive();
    co_await client.reply(503, "Retry-After: 1\r\nX-Rotator-Error-Source: gateway\r\n", "");
    co_return;
  }
  while (!draining_ || !client.idle_) {
    const Downstream::Next next = co_await client.read_head();
    if (next == Downstream::Next::kClose) co_return;
    if (next == Downstream::Next::kRefuse) {
      co_await refuse(client);
      co_return;
    }
    client.begin_body();
    if (draining_) client.forbid_keep_alive();
    co_await handler_.handle(client);
    if (client.broken_) {
      if (client.reset_) client.socket().close_reset();
      co_return;
    }
    client.finish_request();
    if (!client.keep_alive_ || draining_) {
      if (!client.client_closes_ || !client.body_finished_) co_await client.linger();
      co_return;
    }
    client.idle_ = !client.slot_;
  }
}

Task<void> Server::refuse(Downstream& client) {
  client.forbid_keep_alive();
  client.body_finished_ = true;
  client.answered_ = false;
  int status = 408;
  std::string fields;
  std::string body;
  handler_.refused(client, client.refusal(), status, fields, body);
  co_await client.reply(status, std::move(fields), std::move(body));
  co_await client.linger();
}

void Server::link(Downstream& client) {
  client.next_ = first_;
  if (first_ != nullptr) first_->prev_ = &client;
  first_ = &client;
  ++open_;
}

void Server::unlink(Downstream& client) {
  (client.prev_ != nullptr ? client.prev_->next_ : first_) = client.next_;
  if (client.next_ != nullptr) client.next_->prev_ = client.prev_;
  --open_;
}

void Server::begin_drain() {
  draining_ = true;
  for (Downstream* client = first_; client != nullptr; client = client->next_) {
    if (client->idle_) client->socket().cancel();
  }
}

void Server::abort_connections() {
  for (Downstream* client = first_; client != nullptr; client = client->next_) client->socket().cancel();
}

}  // namespace akr::net
