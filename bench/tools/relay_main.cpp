// bench_relay: the floor.  Copies bytes between each accepted connection and an upstream connection of its own and
// looks at none of them, so its processor time is what this kernel charges any proxy.
//
//   bench_relay --upstream-port=N [--host=127.0.0.1] [--port=0]
#include <array>
#include <cerrno>
#include <memory>
#include <unordered_map>
#include <vector>

#include <sys/socket.h>

#include "options.hpp"
#include "report.hpp"
#include "sockets.hpp"

namespace akr::bench {
namespace {

struct Pair;

struct Side {
  Fd fd;
  Pair* pair = nullptr;
  Side* other = nullptr;
};

struct Pair {
  Side client;
  Side upstream;
  bool dead = false;
};

class Relay {
 public:
  Relay(const sockaddr_in& address, const sockaddr_in& upstream) : listener_(listen_on(address)), upstream_(upstream) {
    epoll_.add(listener_.get(), EPOLLIN, nullptr);
  }

  std::uint16_t port() const { return local_port(listener_); }

  void run() {
    std::array<epoll_event, 512> events;
    while (!stop_requested()) {
      for (const auto& event : epoll_.wait(events, -1)) {
        auto* side = static_cast<Side*>(event.data.ptr);
        side == nullptr ? accept_all() : copy(*side);
      }
      for (Pair* pair : dead_) pairs_.erase(pair);
      dead_.clear();
    }
  }

 private:
  void accept_all() {
    for (Fd fd = accept_from(listener_); fd.is_open(); fd = accept_from(listener_)) {
      auto owner = std::make_unique<Pair>();
      Pair* pair = owner.get();
      pair->client = {std::move(fd), pair, &pair->upstream};
      pair->upstream = {connect_to(upstream_), pair, &pair->client};
      if (!pair->upstream.fd.is_open()) continue;
      pairs_[pair] = std::move(owner);
      epoll_.add(pair->client.fd.get(), EPOLLIN, &pair->client);
      epoll_.add(pair->upstream.fd.get(), EPOLLIN, &pair->upstream);
    }
  }

  // A peer that does not take everything at once is cut off: with the small messages this floor is measured with, that
  // does not happen.
  void copy(Side& from) {
    if (from.pair->dead) return;
    const auto n = recv(from.fd.get(), block_.data(), block_.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n > 0 && ::send(from.other->fd.get(), block_.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL) == n) return;
    from.pair->dead = true;
    dead_.push_back(from.pair);
  }

  Fd listener_;
  sockaddr_in upstream_;
  Epoll epoll_;
  std::array<char, std::size_t{64} * 1024> block_;
  std::unordered_map<Pair*, std::unique_ptr<Pair>> pairs_;
  std::vector<Pair*> dead_;  // freed after the batch of events that may name them
};

}  // namespace
}  // namespace akr::bench

int main(int argc, char** argv) {
  using namespace akr::bench;
  const Options options({argv + 1, argv + argc}, {{"host", "127.0.0.1"}, {"port", "0"}, {"upstream-port", "0"}});
  install_stop_signals();
  raise_file_limit();
  const auto& host = options.text("host");
  Relay relay(make_address(host, static_cast<std::uint16_t>(options.number("port"))),
              make_address(host, static_cast<std::uint16_t>(options.number("upstream-port"))));
  Report ready;
  ready.add("state", "ready");
  ready.add("port", std::uint64_t{relay.port()});
  ready.print();
  relay.run();
}
