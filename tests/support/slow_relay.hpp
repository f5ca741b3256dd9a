// slow_relay.hpp - stands between a client and a database server on 127.0.0.1: answers come later, or a connection is
// cut at the worst moment.  Understands nothing of the protocols but the word COMMIT.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "tests/support/tcp_server.hpp"

namespace akr::test {

enum class CommitCut {
  kNone,
  kBefore,  // the COMMIT does not reach the server
  kAfter,   // it does, and is obeyed; its answer does not come back
};

// Thread-safe.
class SlowRelay {
 public:
  explicit SlowRelay(std::uint16_t to) : to_(to), listener_(listen_on_loopback(128, port_)) {
    thread_ = std::thread([this] { accept_all(); });
  }
  SlowRelay(const SlowRelay&) = delete;
  SlowRelay& operator=(const SlowRelay&) = delete;
  ~SlowRelay() {
    delay_answers(std::chrono::milliseconds(0));
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    for (Connection& connection : connections_) connection.cut();
    for (Connection& connection : connections_) connection.end();
  }

  std::uint16_t port() const { return port_; }

  // What the server says from now on arrives that much later, piece by piece.
  void delay_answers(std::chrono::milliseconds delay) {
    const std::lock_guard lock(mutex_);
    delay_ = delay;
    changed_.notify_all();
  }

  // Cuts the connection that says COMMIT next, once.
  void cut_next_commit(CommitCut cut) { next_cut_ = cut; }
  int cuts() const { return cuts_; }

 private:
  struct Connection {
    int client = -1, server = -1;
    std::atomic<bool> swallow{false};  // the server's next answer, and the connection with it
    std::thread up, down;

    void cut() {
      ::shutdown(client, SHUT_RDWR);
      ::shutdown(server, SHUT_RDWR);
    }
    void end() {
      up.join();
      down.join();
      ::close(client);
      ::close(server);
    }
  };

  void accept_all() {
    for (;;) {
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      int server = -1;
      try {
        server = connect_to_loopback(to_);
      } catch (const std::runtime_error&) {
        ::close(client);
        continue;
      }
      Connection& connection = connections_.emplace_back();
      connection.client = client;
      connection.server = server;
      connection.up = std::thread([this, &connection] { pass_up(connection); });
      connection.down = std::thread([this, &connection] { pass_down(connection); });
    }
  }

  void pass_up(Connection& connection) {
    for (std::string piece; !(piece = receive(connection.client)).empty();) {
      const CommitCut cut = says_commit(piece) ? next_cut_.exchange(CommitCut::kNone) : CommitCut::kNone;
      if (cut == CommitCut::kBefore) {
        ++cuts_;
        break;
      }
      if (cut == CommitCut::kAfter) connection.swallow = true;
      send_all(connection.server, piece);
    }
    connection.cut();
  }

  void pass_down(Connection& connection) {
    for (std::string piece; !(piece = receive(connection.server)).empty();) {
      if (connection.swallow) {
        ++cuts_;
        break;
      }
      wait();
      send_all(connection.client, piece);
    }
    connection.cut();
  }

  void wait() {
    std::unique_lock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + delay_;
    changed_.wait_until(lock, until, [this] { return delay_.count() == 0; });
  }

  static std::string receive(int fd) {
    char bytes[16'384];
    const ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
    return {bytes, got > 0 ? static_cast<std::size_t>(got) : 0};
  }

  // The statement, in capitals as we write it.
  static bool says_commit(std::string_view piece) {
    return piece.find("COMMIT") != std::string_view::npos && piece.find("COMMITTED") == std::string_view::npos;
  }

  const std::uint16_t to_;
  std::uint16_t port_ = 0;
  const int listener_;
  std::list<Connection> connections_;  // of the accepting thread until it ended
  std::mutex mutex_;
  std::condition_variable changed_;
  std::chrono::milliseconds delay_{0};
  std::atomic<CommitCut> next_cut_{CommitCut::kNone};
  std::atomic<int> cuts_{0};
  std::thread thread_;
};

}  // namespace akr::test
