#include "net/client/dial.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <netinet/tcp.h>
#include <unistd.h>

#include "net/loop/shortage.hpp"

namespace akr::net {
namespace {

constexpr std::chrono::milliseconds kHeadStart{250};  // RFC 8305 section 5
constexpr std::chrono::milliseconds kPatience{2000};  // one retransmitted SYN

using StreamPtr = std::unique_ptr<Stream>;

struct Attempt {
  StreamPtr stream;
  std::string address;
  TimePoint started;
};

// The attempts of one dial(); a plain value in its coroutine's frame, so they end with it.
class Race {
 public:
  Race(Worker& worker, std::vector<SocketAddress> addresses) : worker_(worker), addresses_(std::move(addresses)) {}

  // Starts what is due.  Afterwards there is a winner, an attempt to wait for, or over().
  void advance(TimePoint now);
  StreamPtr take_winner() { return std::move(winner_); }
  bool over() const { return !attempts_[0].stream && next_ == addresses_.size(); }
  // Until when an event of the open attempts may be awaited.
  TimePoint next_start() const;
  Watch watch(std::size_t index) const {
    Stream* stream = attempts_[index].stream.get();
    return {.socket = stream == nullptr ? nullptr : &stream->socket(), .interest = kWrite};
  }
  const std::string& failure() const { return failure_; }
  bool timed_out() const { return error_ == ETIMEDOUT; }
  // An attempt failed for want of something of our own: then the others prove nothing about the upstream.
  int shortage() const { return shortage_; }

 private:
  void collect(TimePoint now);
  void start(TimePoint now);
  void fail(const std::string& address, int error);
  bool full() const { return attempts_[1].stream != nullptr; }

  Worker& worker_;
  std::vector<SocketAddress> addresses_;
  std::size_t next_ = 0;
  std::array<Attempt, 2> attempts_;   // the older one first
  TimePoint due_ = TimePoint::min();  // of the next attempt
  StreamPtr winner_;
  std::string failure_ = "no address";
  int error_ = 0;
  int shortage_ = 0;
};

// All local ports are in use (ours), or the family has no address here (nobody can be reached that way)?  A datagram
// socket takes the same route and hardly ever lacks a port.
bool has_route(const SocketAddress& address) {
  const int fd = ::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool routed = fd >= 0 && ::connect(fd, address.raw(), address.length) == 0;
  if (fd >= 0) ::close(fd);
  return routed;
}

void Race::advance(TimePoint now) {
  collect(now);
  while (!winner_ && next_ < addresses_.size() && (!attempts_[0].stream || now >= due_)) {
    if (full()) {
      if (now < attempts_[0].started + kPatience) return;
      fail(attempts_[0].address, ETIMEDOUT);
      attempts_[0] = std::move(attempts_[1]);
      attempts_[1] = {};
    }
    start(now);
  }
}

// Looks at the attempts that have an event.
void Race::collect(TimePoint now) {
  for (Attempt& attempt : attempts_) {
    if (!attempt.stream || (attempt.stream->socket().ready() & kWrite) == 0) continue;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(attempt.stream->socket().fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) {
      winner_ = std::move(attempt.stream);
      return;
    }
    fail(attempt.address, error);
    attempt = {};
    due_ = now;
  }
  if (!attempts_[0].stream) std::swap(attempts_[0], attempts_[1]);
}

void Race::start(TimePoint now) {
  const SocketAddress& address = addresses_[next_++];
  const int fd = open_socket(worker_, address.storage.ss_family, SOCK_STREAM);
  if (fd < 0) return fail(to_text(address), errno);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const bool connected = ::connect(fd, address.raw(), address.length) == 0;
  if (!connected && errno != EINPROGRESS) {
    const int error = errno;
    ::close(fd);
    fail(to_text(address), error);
    if (error == EADDRNOTAVAIL && has_route(address)) shortage_ = error;
    return;
  }
  // Registered after connect(): a socket that is not connecting yet would be reported as hung up.
  StreamPtr stream;
  try {
    stream = make_tcp_stream(worker_, fd);
  } catch (const std::system_error& full) {  // epoll has its limits, too
    fail(to_text(address), full.code().value());
    shortage_ = full.code().value();
    return;
  }
  if (connected) {
    winner_ = std::move(stream);
    return;
  }
  stream->socket().clear_ready(kRead | kWrite);
  Attempt& slot = attempts_[attempts_[0].stream ? 1 : 0];
  slot.stream = std::move(stream);
  slot.address = to_text(address);
  slot.started = now;
  due_ = now + kHeadStart;
}

void Race::fail(const std::string& address, int error) {
  error_ = error;
  if (own_shortage(error)) shortage_ = error;
  failure_ = std::string(std::strerror(error)) + " (" + address + ")";
}

TimePoint Race::next_start() const {
  if (next_ == addresses_.size()) return TimePoint::max();
  return full() ? std::max(due_, attempts_[0].started + kPatience) : due_;
}

Error timed_out(const std::string& name) {
  return Error{.code = ErrorCode::kUpstreamConnectTimeout,
               .message = "no connection to " + name + " within the connect timeout"};
}

}  // namespace

std::vector<SocketAddress> alternate_families(const std::vector<SocketAddress>& addresses) {
  std::array<std::vector<SocketAddress>, 2> families;
  for (const SocketAddress& address : addresses) {
    families[address.ipv6() == addresses.front().ipv6() ? 0 : 1].push_back(address);
  }
  std::vector<SocketAddress> turns;
  turns.reserve(addresses.size());
  for (std::size_t i = 0; i < std::max(families[0].size(), families[1].size()); ++i) {
    for (const auto& family : families) {
      if (i < family.size()) turns.push_back(family[i]);
    }
  }
  return turns;
}

Result<std::vector<SocketAddress>> only_allowed(const AddressPolicy& policy,
                                                const std::vector<SocketAddress>& addresses, const std::string& host) {
  std::vector<SocketAddress> allowed;
  for (const SocketAddress& address : addresses) {
    if (policy(address_bytes(address))) allowed.push_back(address);
  }
  if (!allowed.empty()) return allowed;
  const std::string text = to_text(addresses.front());
  return Error{.code = ErrorCode::kUpstreamRefused,
               .message = "the address policy forbids " + (text == host ? text : text + ", which is '" + host + "'")};
}

Task<Result<StreamPtr>> dial(Worker& worker, const AddressPolicy& policy, DialTarget target, TimePoint deadline) {
  const Result<std::vector<SocketAddress>> allowed = only_allowed(policy, target.addresses, target.host);
  if (!allowed) co_return allowed.error();
  const std::string name = authority(target.host, target.port);
  Race race(worker, alternate_families(*allowed));
  for (;;) {
    race.advance(worker.now());
    if (StreamPtr winner = race.take_winner()) co_return winner;
    if (race.over()) break;
    if (worker.now() >= deadline) co_return timed_out(name);
    const TimePoint until = std::min(deadline, race.next_start());
    const Watch older = race.watch(0);
    const Watch newer = race.watch(1);
    const WaitEnd end = co_await wait_for_any(older, newer, until);
    if (end == WaitEnd::kCancelled) {
      co_return Error{.code = ErrorCode::kShuttingDown, .message = "the gateway is stopping"};
    }
  }
  if (race.shortage() != 0) co_return shortage_error("no connection to " + name, race.shortage());
  if (race.timed_out()) co_return timed_out(name);
  co_return Error{.code = ErrorCode::kUpstreamConnect, .message = "cannot connect to " + name + ": " + race.failure()};
}

}  // namespace akr::net
