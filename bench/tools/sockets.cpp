#include "sockets.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace akr::bench {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

volatile std::sig_atomic_t g_stop = 0;

void on_stop_signal(int) { g_stop = 1; }

void set_option(const Fd& socket, int level, int name, int value) {
  if (setsockopt(socket.get(), level, name, &value, sizeof value) != 0) die("setsockopt");
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Epoll::Epoll() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!fd_.is_open()) die("epoll_create1");
}

void Epoll::add(int fd, std::uint32_t events, void* data) {
  epoll_event event{.events = events, .data = {.ptr = data}};
  if (epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl add");
}

void Epoll::change(int fd, std::uint32_t events, void* data) {
  epoll_event event{.events = events, .data = {.ptr = data}};
  if (epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event) != 0) die("epoll_ctl mod");
}

std::span<epoll_event> Epoll::wait(std::span<epoll_event> events, std::int64_t wake_at_ns) {
  timespec limit{};
  if (wake_at_ns >= 0) {
    const std::int64_t left = std::max<std::int64_t>(0, wake_at_ns - now_ns());
    limit = {.tv_sec = left / kNsPerSecond, .tv_nsec = left % kNsPerSecond};
  }
  const int n = epoll_pwait2(fd_.get(), events.data(), static_cast<int>(events.size()),
                             wake_at_ns >= 0 ? &limit : nullptr, nullptr);
  if (n < 0 && errno != EINTR) die("epoll_pwait2");
  return events.first(n > 0 ? static_cast<std::size_t>(n) : 0);
}

sockaddr_in make_address(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    errno = EINVAL;
    die("not an IPv4 address: " + host);
  }
  return address;
}

Fd listen_on(const sockaddr_in& address) {
  Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket.is_open()) die("socket");
  set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("bind");
  if (listen(socket.get(), SOMAXCONN) != 0) die("listen");
  return socket;
}

std::uint16_t local_port(const Fd& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) die("getsockname");
  return ntohs(address.sin_port);
}

Fd accept_from(const Fd& listener) {
  Fd socket{accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (!socket.is_open()) {
    // Out of descriptors would otherwise spin for ever on a level-triggered listener.
    if (errno == EMFILE || errno == ENFILE) die("accept4");
    return socket;
  }
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  return socket;
}

Fd connect_to(const sockaddr_in& address) {
  Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket.is_open()) die("socket");
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return Fd{};
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  if (fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) die("fcntl");
  return socket;
}

void reset_on_close(const Fd& socket) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  if (setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now) != 0) die("setsockopt");
}

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) die("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die("setrlimit");
}

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

void install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;  // no SA_RESTART: the signal must interrupt epoll_pwait2
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() { return g_stop != 0; }

void die(const std::string& what) {
  std::fprintf(stderr, "bench: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

}  // namespace akr::bench
