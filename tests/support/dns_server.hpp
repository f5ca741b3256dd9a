// dns_server.hpp - a DNS server on 127.0.0.1 for one test, UDP and TCP on one free port.  Its answers are set by the
// test at any time; it counts the queries.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
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

struct DnsAnswer {
  std::vector<std::string> addresses = {};  // of the family that was asked for, as text
  int ttl = 60;
  int rcode = 0;        // 2 = SERVFAIL, 3 = NXDOMAIN
  bool silent = false;  // a black hole
};

class DnsServer {
 public:
  DnsServer() {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    // TCP has to get the port that UDP was given.
    for (int attempt = 0; attempt < 20; ++attempt) {
      address.sin_port = 0;
      udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      ::bind(udp_, raw, size);
      ::getsockname(udp_, raw, &size);
      port_ = ntohs(address.sin_port);
      if (::bind(tcp_, raw, size) == 0 && ::listen(tcp_, 8) == 0) {
        thread_ = std::thread([this] { serve(); });
        return;
      }
      ::close(udp_);
      ::close(tcp_);
    }
    throw std::runtime_error("no port for DNS");
  }
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;
  ~DnsServer() {
    stopping_ = true;
    thread_.join();
    ::close(udp_);
    ::close(tcp_);
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int queries() const { return queries_; }

  // A name that was not set answers NXDOMAIN; a family that was not set, no record.
  void set_ipv4(const std::string& name, DnsAnswer answer) { set(name, kA, std::move(answer)); }
  void set_ipv6(const std::string& name, DnsAnswer answer) { set(name, kAaaa, std::move(answer)); }

 private:
  static constexpr int kA = 1;
  static constexpr int kAaaa = 28;
  static constexpr std::size_t kMaxUdp = 512;

  void set(const std::string& name, int type, DnsAnswer answer) {
    const std::lock_guard lock(mutex_);
    answers_[name][type] = std::move(answer);
  }

  void serve() {
    while (!stopping_) {
      pollfd ends[2] = {{.fd = udp_, .events = POLLIN, .revents = 0}, {.fd = tcp_, .events = POLLIN, .revents = 0}};
      if (::poll(ends, 2, 10) <= 0) continue;
      if (ends[0].revents != 0) serve_datagram();
      if (ends[1].revents != 0) serve_connection();
    }
  }

  void serve_datagram() {
    char query[1024];
    sockaddr_storage from = {};
    socklen_t size = sizeof from;
    auto* raw = reinterpret_cast<sockaddr*>(&from);
    const ssize_t got = ::recvfrom(udp_, query, sizeof query, 0, raw, &size);
    if (got < 12) return;
    std::string reply = answer(std::string_view(query, static_cast<std::size_t>(got)));
    if (reply.size() > kMaxUdp) {
      reply.resize(kMaxUdp);
      reply[2] = static_cast<char>(reply[2] | 0x02);  // truncated: ask again over TCP
    }
    if (!reply.empty()) ::sendto(udp_, reply.data(), reply.size(), 0, raw, size);
  }

  void serve_connection() {
    const int fd = ::accept(tcp_, nullptr, nullptr);
    unsigned char length[2];
    while (::recv(fd, length, 2, MSG_WAITALL) == 2) {
      std::string query(static_cast<std::size_t>(length[0] << 8 | length[1]), '\0');
      if (::recv(fd, query.data(), query.size(), MSG_WAITALL) != static_cast<ssize_t>(query.size())) break;
      const std::string reply = answer(query);
      std::string framed;
      put16(framed, static_cast<int>(reply.size()));
      framed += reply;
      if (::send(fd, framed.data(), framed.size(), MSG_NOSIGNAL) < 0) break;
      pollfd more = {.fd = fd, .events = POLLIN, .revents = 0};
      if (::poll(&more, 1, 200) <= 0) break;
    }
    ::close(fd);
  }

  static void put16(std::string& out, int value) {
    out += static_cast<char>(value >> 8);
    out += static_cast<char>(value & 0xff);
  }

  // "" = no reply.
  std::string answer(std::string_view query) {
    ++queries_;
    std::string name;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<std::size_t>(query[at]);
      if (!name.empty()) name += '.';
      name += query.substr(at + 1, length);
      at += length + 1;
    }
    const int type = static_cast<unsigned char>(query[at + 1]) << 8 | static_cast<unsigned char>(query[at + 2]);
    const std::string_view question = query.substr(12, at + 5 - 12);
    DnsAnswer found;
    {
      const std::lock_guard lock(mutex_);
      const auto it = answers_.find(name);
      if (it == answers_.end()) {
        found.rcode = 3;
      } else if (const auto of_type = it->second.find(type); of_type != it->second.end()) {
        found = of_type->second;
      }
    }
    return found.silent ? std::string() : build(query, question, type, found);
  }

  static std::string build(std::string_view query, std::string_view question, int type, const DnsAnswer& found) {
    std::string reply(query.substr(0, 2));
    put16(reply, 0x8180 | found.rcode);
    put16(reply, 1);
    put16(reply, static_cast<int>(found.addresses.size()));
    put16(reply, 0);
    put16(reply, 0);
    reply += question;
    for (const std::string& text : found.addresses) {
      put16(reply, 0xc00c);  // the name of the question
      put16(reply, type);
      put16(reply, 1);
      put16(reply, 0);
      put16(reply, found.ttl);
      char bytes[16];
      ::inet_pton(type == kA ? AF_INET : AF_INET6, text.c_str(), bytes);
      put16(reply, type == kA ? 4 : 16);
      reply.append(bytes, type == kA ? 4 : 16);
    }
    return reply;
  }

  int udp_ = -1;
  int tcp_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> queries_{0};
  std::mutex mutex_;
  std::map<std::string, std::map<int, DnsAnswer>> answers_;
  std::thread thread_;
};

}  // namespace akr::test
