#include "app/commands/healthcheck.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace akr {
namespace {

constexpr char kRequest[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr std::string_view kHealthy = "HTTP/1.1 200 ";

Error failed(std::string_view what) {
  return Error{.code = ErrorCode::kUpstreamConnect, .message = "healthcheck: " + std::string(what)};
}

Error failed_with_errno(std::string_view what) { return failed(std::string(what) + ": " + std::strerror(errno)); }

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// Where a listener on `address` is reached from here.  `::` may have fallen back to IPv4 only, so both are tried.
std::vector<std::string> reachable_addresses(const std::string& address) {
  if (address == "0.0.0.0") return {"127.0.0.1"};
  in6_addr bytes = {};
  if (inet_pton(AF_INET6, address.c_str(), &bytes) == 1 && IN6_IS_ADDR_UNSPECIFIED(&bytes)) return {"127.0.0.1", "::1"};
  return {address};
}

Result<Socket> connect_to(const std::string& address, const HealthcheckTarget& target) {
  sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(target.port)};
  sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(target.port)};
  const bool is_v4 = inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) != 1) return failed(address + " is no address");
  Socket socket(::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return failed_with_errno("no socket");
  // SO_SNDTIMEO bounds connect() too (socket(7)).
  const timeval limit = {.tv_sec = target.timeout.count() / 1000, .tv_usec = target.timeout.count() % 1000 * 1000};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  const auto* where = is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  if (::connect(socket.get(), where, is_v4 ? sizeof(v4) : sizeof(v6)) != 0) {
    return failed_with_errno("cannot connect to " + address + " port " + std::to_string(target.port));
  }
  return socket;
}

Result<void> judge(std::string_view answer) {
  if (answer.starts_with(kHealthy)) return {};
  if (answer.empty()) return failed("no answer");
  return failed("the answer was not 200");
}

Result<void> ask_plain(int socket) {
  if (::send(socket, kRequest, sizeof(kRequest) - 1, MSG_NOSIGNAL) < 0) return failed_with_errno("cannot send");
  std::array<char, kHealthy.size()> answer = {};
  const ssize_t count = ::recv(socket, answer.data(), answer.size(), MSG_WAITALL);
  if (count < 0) return failed_with_errno("no answer");
  return judge({answer.data(), static_cast<std::size_t>(count)});
}

Result<void> ask_tls(int socket) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return failed("no TLS context");
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), SSL_free);
  if (!tls || SSL_set_fd(tls.get(), socket) != 1) return failed("no TLS connection");
  if (SSL_connect(tls.get()) != 1) return failed("TLS handshake failed");
  if (SSL_write(tls.get(), kRequest, sizeof(kRequest) - 1) <= 0) return failed("cannot send");
  std::array<char, kHealthy.size()> answer = {};
  std::size_t length = 0;
  while (length < answer.size()) {
    const int count = SSL_read(tls.get(), answer.data() + length, static_cast<int>(answer.size() - length));
    if (count <= 0) break;
    length += static_cast<std::size_t>(count);
  }
  return judge({answer.data(), length});
}

// Our own address on this connection is the peer's for the gateway.
bool owes_header(int socket, const std::vector<IpNetwork>& networks) {
  sockaddr_storage own = {};
  socklen_t size = sizeof own;
  if (networks.empty() || ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) != 0) return false;
  std::array<char, INET6_ADDRSTRLEN> text = {};
  const void* const bytes = own.ss_family == AF_INET
                                ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(own).sin_addr)
                                : &reinterpret_cast<const sockaddr_in6&>(own).sin6_addr;
  ::inet_ntop(own.ss_family, bytes, text.data(), text.size());
  const auto address = parse_ip(text.data());
  return address && std::ranges::any_of(networks, [&](const IpNetwork& network) { return network.contains(*address); });
}

}  // namespace

Result<void> check_health(const HealthcheckTarget& target) {
  if (target.port == 0) return failed("BACKEND_PORT is 0, so the port is not known");
  Result<void> asked = failed("no address");
  for (const std::string& address : reachable_addresses(target.address)) {
    auto socket = connect_to(address, target);
    if (!socket) {
      asked = socket.error();
      continue;
    }
    constexpr std::string_view kOwn = "PROXY UNKNOWN\r\n";
    if (owes_header(socket->get(), target.headers_from)) ::send(socket->get(), kOwn.data(), kOwn.size(), MSG_NOSIGNAL);
    asked = target.tls ? ask_tls(socket->get()) : ask_plain(socket->get());
    if (asked) return asked;
  }
  return asked;
}

}  // namespace akr
