// tcp_server.hpp - a blocking server on a free port of 127.0.0.1: one thread that hands each connection to a function.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace akr::test {

// A listening socket on a free port.
inline int listen_on_loopback(int backlog, std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd, backlog) != 0) {
    throw std::runtime_error("cannot listen on loopback");
  }
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

inline int connect_to_loopback(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    throw std::runtime_error("cannot connect to loopback");
  }
  return fd;
}

class TcpServer {
 public:
  // `serve(fd)` runs on the server's threads, one per connection; the descriptor is closed when it returns.
  explicit TcpServer(std::function<void(int)> serve) : serve_(std::move(serve)) {
    listener_ = listen_on_loopback(128, port_);
    thread_ = std::thread([this] { accept_all(); });
  }
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;
  ~TcpServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void accept_all() {
    std::vector<std::thread> open;
    while (!stopping_) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) break;
      ++connections_;
      const timeval limit = {.tv_sec = 10, .tv_usec = 0};  // a test that fails must still end
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      open.emplace_back([this, fd] {
        serve_(fd);
        ::close(fd);
      });
    }
    for (std::thread& thread : open) thread.join();
  }

  const std::function<void(int)> serve_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::thread thread_;
};

inline void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// Up to `size` bytes; fewer if the other side ends.
inline std::string receive_exactly(int fd, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::recv(fd, bytes.data() + filled, size - filled, 0);
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

// Up to and including `end`, byte by byte; less if the other side ends.
inline std::string receive_until(int fd, std::string_view end) {
  std::string bytes;
  while (!bytes.ends_with(end)) {
    const std::string next = receive_exactly(fd, 1);
    if (next.empty()) break;
    bytes += next;
  }
  return bytes;
}

// Returns when the other side has closed (or reset).
inline void wait_for_close(int fd) {
  while (!receive_exactly(fd, 1).empty()) {
  }
}

// Copies both ways until either side ends.
inline void relay(int a, int b) {
  for (;;) {
    pollfd ends[2] = {{.fd = a, .events = POLLIN, .revents = 0}, {.fd = b, .events = POLLIN, .revents = 0}};
    if (::poll(ends, 2, 10'000) <= 0) return;
    for (int i = 0; i < 2; ++i) {
      if (ends[i].revents == 0) continue;
      char bytes[4096];
      const ssize_t got = ::recv(ends[i].fd, bytes, sizeof bytes, 0);
      if (got <= 0) return;
      send_all(ends[1 - i].fd, std::string_view(bytes, static_cast<std::size_t>(got)));
    }
  }
}

}  // namespace akr::test
