// Small owners for file descriptors, sockets and epoll, shared by the benchmark programs.  A failing system call during
// set-up ends the program with a message: a benchmark that cannot start has nothing to report.  One thread only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/epoll.h>

namespace akr::bench {

// Owns one file descriptor and closes it.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

// Level-triggered epoll; `data` comes back in the event's data.ptr.
class Epoll {
 public:
  Epoll();
  void add(int fd, std::uint32_t events, void* data);
  void change(int fd, std::uint32_t events, void* data);
  // Waits until something happens or the monotonic clock reaches `wake_at_ns` (negative: no limit).  Returns the filled
  // part of `events`; empty on a timeout or a signal.
  std::span<epoll_event> wait(std::span<epoll_event> events, std::int64_t wake_at_ns);

 private:
  Fd fd_;
};

// `host` must be an IPv4 address: names would bring a resolver into the figures.
sockaddr_in make_address(const std::string& host, std::uint16_t port);

// A non-blocking listening socket; port 0 takes a free one.
Fd listen_on(const sockaddr_in& address);
std::uint16_t local_port(const Fd& socket);

// Accepts one waiting connection as a non-blocking socket without Nagle's delay; a closed Fd if none is waiting.
Fd accept_from(const Fd& listener);

// Connects (blocking, on loopback the kernel answers at once), then makes the socket non-blocking.  A closed Fd if the
// peer refuses.
Fd connect_to(const sockaddr_in& address);

// Closing sends a reset instead of entering TIME_WAIT, so thousands of short-lived ports do not run out.
void reset_on_close(const Fd& socket);

// Raises the soft limit of open files to the hard one.
void raise_file_limit();

std::int64_t now_ns();

// True once SIGTERM or SIGINT arrived; install_stop_signals() must run first.
void install_stop_signals();
bool stop_requested();

[[noreturn]] void die(const std::string& what);

}  // namespace akr::bench
