// egress_proxies.hpp - outbound proxies for a test: CONNECT and SOCKS5, which tunnel to 127.0.0.1 whatever host they
// are asked for, and write down what that was.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <poll.h>

#include "tests/support/tcp_server.hpp"
#include "tests/support/tls_peer.hpp"

namespace akr::test {

class Seen {
 public:
  void add(std::string text) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(text));
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

// Copies between a TLS client and a plain descriptor until either ends.
inline void relay_tls(TlsPeer& client, int client_fd, int upstream) {
  for (;;) {
    pollfd ends[2] = {{.fd = client_fd, .events = POLLIN, .revents = 0},
                      {.fd = upstream, .events = POLLIN, .revents = 0}};
    if (SSL_pending(client.ssl()) == 0 && ::poll(ends, 2, 10'000) <= 0) return;
    if (SSL_pending(client.ssl()) > 0 || ends[0].revents != 0) {
      const std::string bytes = client.read();
      if (bytes.empty()) return;
      send_all(upstream, bytes);
    }
    if (ends[1].revents != 0) {
      char bytes[4096];
      const ssize_t got = ::recv(upstream, bytes, sizeof bytes, 0);
      if (got <= 0) return;
      client.write(std::string_view(bytes, static_cast<std::size_t>(got)));
    }
  }
}

// The whole head of a CONNECT request -> the port it names.
inline std::uint16_t port_of_connect(const std::string& head) {
  const std::string authority = head.substr(8, head.find(' ', 8) - 8);
  return static_cast<std::uint16_t>(std::stoi(authority.substr(authority.rfind(':') + 1)));
}

// `reply`: e.g. "HTTP/1.1 200 OK\r\n\r\n"; a tunnel is opened if it says 200.  `heads`: the requests.
class ConnectProxy {
 public:
  explicit ConnectProxy(std::string reply = "HTTP/1.1 200 Connection established\r\n\r\n",
                        TlsAcceptor* acceptor = nullptr)
      : reply_(std::move(reply)), acceptor_(acceptor), server_([this](int fd) { serve(fd); }) {}
  std::uint16_t port() const { return server_.port(); }
  std::vector<std::string> heads() const { return seen_.all(); }

 private:
  void serve(int fd) {
    if (acceptor_ != nullptr) return serve_tls(fd);
    const std::string head = receive_until(fd, "\r\n\r\n");
    seen_.add(head);
    send_all(fd, reply_);
    if (reply_.find(" 200 ") == std::string::npos) return;
    const int upstream = connect_to_loopback(port_of_connect(head));
    relay(fd, upstream);
    ::close(upstream);
  }
  void serve_tls(int fd) {
    TlsPeer peer(*acceptor_, fd);
    if (!peer.accepted()) return;
    const std::string head = peer.read();
    seen_.add(head);
    peer.write(reply_);
    const int upstream = connect_to_loopback(port_of_connect(head));
    relay_tls(peer, fd, upstream);
    ::close(upstream);
  }

  const std::string reply_;
  TlsAcceptor* const acceptor_;
  Seen seen_;
  TcpServer server_;
};

struct SocksRules {
  std::string login = {};  // "user:password"; "" = no authentication
  char reply = 0;          // code of the answer to the request
  int refuse_first = 0;    // so many requests are answered with 4 (host unreachable) before
};

// `requests`: "1 192.0.2.1", "3 name.test", "4 ::1" (kind of address, host).
class SocksProxy {
 public:
  explicit SocksProxy(SocksRules rules = {}) : rules_(std::move(rules)), server_([this](int fd) { serve(fd); }) {}
  std::uint16_t port() const { return server_.port(); }
  std::vector<std::string> requests() const { return seen_.all(); }

 private:
  bool log_in(int fd) {
    const std::string hello = receive_exactly(fd, 2);
    if (hello.size() < 2) return false;
    const std::string methods = receive_exactly(fd, static_cast<unsigned char>(hello[1]));
    const char wanted = rules_.login.empty() ? '\0' : '\x02';
    if (methods.find(wanted) == std::string::npos) {
      send_all(fd, "\x05\xff");
      return false;
    }
    send_all(fd, std::string("\x05") + wanted);
    if (wanted == 0) return true;
    const std::string user = receive_exactly(fd, static_cast<unsigned char>(receive_exactly(fd, 2)[1]));
    const std::string password = receive_exactly(fd, static_cast<unsigned char>(receive_exactly(fd, 1)[0]));
    const bool good = user + ":" + password == rules_.login;
    send_all(fd, std::string("\x01") + (good ? '\0' : '\x01'));
    return good;
  }

  void serve(int fd) {
    if (!log_in(fd)) return wait_for_close(fd);
    const std::string head = receive_exactly(fd, 4);
    if (head.size() < 4) return;
    std::string host;
    if (head[3] == 3) {
      host = receive_exactly(fd, static_cast<unsigned char>(receive_exactly(fd, 1)[0]));
    } else {
      const std::string bytes = receive_exactly(fd, head[3] == 1 ? 4 : 16);
      char text[INET6_ADDRSTRLEN] = {};
      ::inet_ntop(head[3] == 1 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
      host = text;
    }
    const std::string port = receive_exactly(fd, 2);
    seen_.add(std::to_string(head[3]) + " " + host);
    const bool refused = seen_.all().size() <= static_cast<std::size_t>(rules_.refuse_first);
    const char code = refused ? '\x04' : rules_.reply;
    // A name as the bound address: a length that the client has to respect.
    send_all(fd, std::string("\x05") + code + std::string("\0\x03\x05", 3) + "bound" + std::string(2, '\0'));
    if (code != 0) return;
    const int upstream = connect_to_loopback(
        static_cast<std::uint16_t>(static_cast<unsigned char>(port[0]) << 8 | static_cast<unsigned char>(port[1])));
    relay(fd, upstream);
    ::close(upstream);
  }

  const SocksRules rules_;
  Seen seen_;
  TcpServer server_;
};

}  // namespace akr::test
