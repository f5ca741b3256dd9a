// A socket's budget of work per turn of the loop, and the turn of those who used it up.
#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop/stream.hpp"
#include "net/loop/worker.hpp"
#include "tests/support/run_on_worker.hpp"

namespace akr::net {
namespace {

using std::chrono::milliseconds;
using test::WorkerThread;

TimePoint in(milliseconds time) { return std::chrono::steady_clock::now() + time; }

// A socket of the worker and its other end.
class FairTurns : public testing::Test {
 protected:
  struct Pair {
    explicit Pair(Worker& worker) {
      int ends[2] = {-1, -1};
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
      socket = std::make_unique<Socket>(worker, ends[0]);
      peer = ends[1];
    }
    ~Pair() { ::close(peer); }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    std::unique_ptr<Socket> socket;
    int peer = -1;
  };

  // Uses the budget of this turn up.
  static void spend(Socket& socket) {
    while (socket.may_work(kRead)) socket.charge(cost::kTurn);
  }
  WorkerThread loop_;
};

// A peer that sends as fast as we read kept the worker for as long as it liked (a websocket 5 s, an upload of 1 GiB
// 1.3 s).  (Kind: loops that do not return to the event loop while a socket stays ready.)
TEST_F(FairTurns, AReaderOfAnEndlessStreamComesBackToTheLoop) {
  std::atomic<bool> stop{false};
  int ends[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  std::jthread peer([&stop, fd = ends[1]] {
    const std::string block(256 * 1024, 'x');
    while (!stop && ::send(fd, block.data(), block.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  std::map<std::uint64_t, std::size_t> by_turn;
  const auto body = [&](Worker& worker) -> Task<void> {
    const std::unique_ptr<Stream> stream = make_tcp_stream(worker, ends[0]);
    std::vector<char> memory(80 * 1024);
    for (std::size_t total = 0; total < 64U << 20;) {
      const IoResult got = co_await read_some(*stream, memory.data(), memory.size(), in(milliseconds(20'000)));
      EXPECT_EQ(got.status, IoStatus::kOk);
      total += got.bytes;
      by_turn[worker.turn()] += got.bytes;
    }
    stop = true;
  };
  loop_.run(body);
  for (const auto& [turn, bytes] : by_turn) EXPECT_LE(bytes, 2 * cost::kTurn + 80 * 1024) << turn;
  ::close(ends[1]);
}

// The same for a writer whose peer takes everything at once (a body that is read from a file).
TEST_F(FairTurns, AWriterToAGreedyPeerComesBackToTheLoop) {
  std::uint64_t turns = 0;
  const auto body = [&turns](Worker& worker) -> Task<void> {
    Pair pair(worker);
    const std::string block(16 * 1024, 'x');
    std::vector<char> sink(block.size());
    const std::uint64_t first = worker.turn();
    for (std::size_t total = 0; total < 16U << 20;) {
      const iovec part = {.iov_base = const_cast<char*>(block.data()), .iov_len = block.size()};  // NOLINT
      const IoResult sent = pair.socket->try_write(&part, 1);
      if (sent.status == IoStatus::kWouldBlock) co_await wait_for(*pair.socket, sent.want, TimePoint::max());
      total += sent.bytes;
      while (::recv(pair.peer, sink.data(), sink.size(), MSG_DONTWAIT) > 0) {
      }
    }
    turns = worker.turn() - first;
  };
  loop_.run(body);
  EXPECT_GE(turns, 15U);
}

TEST_F(FairTurns, ABudgetIsWholeAgainInTheNextTurn) {
  const auto body = [](Worker& worker) -> Task<void> {
    Pair pair(worker);
    Socket& socket = *pair.socket;
    for (int i = 0; i < 3; ++i) {
      spend(socket);
      const std::uint64_t before = worker.turn();
      EXPECT_FALSE(socket.may_work(kRead));
      EXPECT_EQ(::send(pair.peer, "x", 1, 0), 1);
      std::array<char, 8> bytes = {};
      EXPECT_EQ(socket.try_read(bytes.data(), bytes.size()).status, IoStatus::kWouldBlock);
      const WaitEnd end = co_await wait_for(socket, kRead, in(milliseconds(10'000)));
      EXPECT_EQ(end, WaitEnd::kReady);
      EXPECT_GT(worker.turn(), before);
      EXPECT_EQ(socket.try_read(bytes.data(), bytes.size()).bytes, 1U);
    }
  };
  loop_.run(body);
}

// What lies in our own buffer makes no event: the wait must end all the same.
TEST_F(FairTurns, WorkWithoutAnEventIsGoneOnWith) {
  const auto body = [](Worker& worker) -> Task<WaitEnd> {
    Pair pair(worker);
    pair.socket->clear_ready(kRead);
    spend(*pair.socket);
    const WaitEnd end = co_await wait_for(*pair.socket, kRead, in(milliseconds(10'000)));
    co_return end;
  };
  EXPECT_EQ(loop_.run(body), WaitEnd::kReady);
}

TEST_F(FairTurns, EventsOfOthersComeBeforeThoseWhoLag) {
  const auto body = [](Worker& worker) -> Task<std::string> {
    Pair busy(worker);
    Pair other(worker);
    Pair trigger(worker);
    std::string order;
    const auto wait = [](Socket& socket, char name, std::string& out) -> Task<void> {
      const WaitEnd end = co_await wait_for(socket, kRead, TimePoint::max());
      if (end == WaitEnd::kReady) out += name;
    };
    other.socket->clear_ready(kRead);
    spend(*busy.socket);
    worker.spawn(wait(*busy.socket, 'b', order));
    worker.spawn(wait(*other.socket, 'o', order));
    EXPECT_EQ(::send(other.peer, "x", 1, 0), 1);
    EXPECT_EQ(::send(busy.peer, "x", 1, 0), 1);  // an event of its own does not help who lags
    while (order.size() < 2) co_await worker.yield();
    co_return order;
  };
  EXPECT_EQ(loop_.run(body), "ob");
}

// A hostile crowd gets a slice of time per turn, however many they are.
TEST_F(FairTurns, ACrowdThatLagsGetsASlicePerTurn) {
  constexpr std::size_t kCrowd = 40;
  std::map<std::uint64_t, int> by_turn;
  const auto body = [&by_turn](Worker& worker) -> Task<void> {
    std::vector<std::unique_ptr<Pair>> crowd;
    int done = 0;
    const auto work = [](Worker& w, Socket& socket, std::map<std::uint64_t, int>& seen, int& ended) -> Task<void> {
      co_await wait_for(socket, kRead, TimePoint::max());
      ++seen[w.turn()];
      const TimePoint until = in(milliseconds(1));
      while (std::chrono::steady_clock::now() < until) {
      }
      ++ended;
    };
    for (std::size_t i = 0; i < kCrowd; ++i) {
      crowd.push_back(std::make_unique<Pair>(worker));
      spend(*crowd.back()->socket);
      worker.spawn(work(worker, *crowd.back()->socket, by_turn, done));
    }
    while (done < static_cast<int>(kCrowd)) co_await worker.yield();
  };
  loop_.run(body);
  for (const auto& [turn, count] : by_turn) EXPECT_EQ(count, 1) << turn;
  EXPECT_EQ(by_turn.size(), kCrowd);
}

// A peer that is always ready outlived every deadline, because a wait that found it ready did not look at the time.
TEST_F(FairTurns, AWaitThatBeginsAfterItsDeadlineEndsWithIt) {
  const auto body = [](Worker& worker) -> Task<void> {
    Pair pair(worker);
    const WaitEnd in_time = co_await wait_for(*pair.socket, kRead | kWrite, in(milliseconds(5000)));
    EXPECT_EQ(in_time, WaitEnd::kReady);
    const WaitEnd late = co_await wait_for(*pair.socket, kRead | kWrite, worker.now());
    EXPECT_EQ(late, WaitEnd::kTimeout);
    spend(*pair.socket);
    const WaitEnd lagging = co_await wait_for(*pair.socket, kRead, worker.now());
    EXPECT_EQ(lagging, WaitEnd::kTimeout);
  };
  loop_.run(body);
}

TEST_F(FairTurns, WhoLagsIsCancelledAsOthers) {
  const auto body = [](Worker& worker) -> Task<WaitEnd> {
    Pair pair(worker);
    spend(*pair.socket);
    WaitEnd end = WaitEnd::kReady;
    bool ended = false;
    const auto wait = [](Socket& socket, WaitEnd& out, bool& done) -> Task<void> {
      out = co_await wait_for(socket, kRead, TimePoint::max());
      done = true;
    };
    worker.spawn(wait(*pair.socket, end, ended));
    pair.socket->close();
    while (!ended) co_await worker.yield();
    co_return end;
  };
  EXPECT_EQ(loop_.run(body), WaitEnd::kCancelled);
}

TEST_F(FairTurns, StopReachesThoseWhoLag) {
  std::atomic<int> cancelled{0};
  const auto body = [&cancelled](Worker& worker) -> Task<void> {
    const auto lag_for_ever = [](Worker& w, std::atomic<int>& count) -> Task<void> {
      Pair pair(w);
      for (WaitEnd end = WaitEnd::kReady; end == WaitEnd::kReady;) {
        spend(*pair.socket);
        end = co_await wait_for(*pair.socket, kRead, TimePoint::max());
      }
      ++count;
    };
    for (int i = 0; i < 3; ++i) worker.spawn(lag_for_ever(worker, cancelled));
    co_return;
  };
  loop_.run(body);
  loop_.stop();
  EXPECT_EQ(cancelled, 3);
}

}  // namespace
}  // namespace akr::net
