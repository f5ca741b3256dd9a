#include "net/loop/worker.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop/stream.hpp"
#include "tests/support/run_on_worker.hpp"

namespace akr::net {
namespace {

using std::chrono::milliseconds;
using test::WorkerThread;

std::array<int, 2> make_pair() {
  std::array<int, 2> ends = {};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  return ends;
}

TimePoint in(milliseconds time) { return std::chrono::steady_clock::now() + time; }

TEST(Worker, RunsPostsOfManyThreadsInTheOrderOfEach) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 5000;
  std::array<int, kThreads> last = {};  // touched by the worker only
  std::atomic<int> disorder{0};
  WorkerThread loop;
  {
    std::vector<std::jthread> threads;
    for (std::size_t id = 0; id < kThreads; ++id) {
      threads.emplace_back([&, id] {
        for (int i = 1; i <= kPosts; ++i) {
          loop.worker().post([&, id, i] {
            if (last[id] + 1 != i) ++disorder;
            last[id] = i;
          });
        }
      });
    }
  }
  const auto read = [&](Worker&) -> Task<std::array<int, kThreads>> { co_return last; };
  for (const int count : loop.run(read)) EXPECT_EQ(count, kPosts);
  EXPECT_EQ(disorder, 0);
}

TEST(Worker, YieldLetsOthersRun) {
  WorkerThread loop;
  const auto body = [](Worker& worker) -> Task<std::string> {
    std::string order;
    const auto other = [](Worker& w, std::string& out) -> Task<void> {
      for (int i = 0; i < 3; ++i) {
        out += 'b';
        co_await w.yield();
      }
    };
    worker.spawn(other(worker, order));
    for (int i = 0; i < 4; ++i) {
      co_await worker.yield();
      order += 'a';
    }
    co_return order;
  };
  EXPECT_EQ(loop.run(body), "bbabaaa");
}

TEST(Worker, YieldingCoroutineDoesNotStarveDeadlines) {
  WorkerThread loop;
  const auto body = [](Worker& worker) -> Task<bool> {
    bool slept = false;
    const auto sleeper = [](Worker& w, bool& done) -> Task<void> {
      co_await sleep_until(w, in(milliseconds(20)));
      done = true;
    };
    worker.spawn(sleeper(worker, slept));
    const TimePoint limit = in(milliseconds(5000));
    while (!slept && worker.now() < limit) co_await worker.yield();
    co_return slept;
  };
  EXPECT_TRUE(loop.run(body));
}

TEST(Worker, SleepEndsAfterItsDeadline) {
  WorkerThread loop;
  const auto body = [](Worker& worker) -> Task<milliseconds> {
    const TimePoint start = std::chrono::steady_clock::now();
    const WaitEnd end = co_await sleep_until(worker, start + milliseconds(40));
    EXPECT_EQ(end, WaitEnd::kTimeout);
    co_return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
  };
  const milliseconds took = loop.run(body);
  EXPECT_GE(took.count(), 40);
  EXPECT_LT(took.count(), 1000);
}

TEST(Worker, ExceptionOfASpawnedCoroutineStaysInIt) {
  WorkerThread loop;
  const auto body = [](Worker& worker) -> Task<int> {
    const auto thrower = []() -> Task<void> {
      throw std::runtime_error("on purpose");
      co_return;
    };
    worker.spawn(thrower());
    co_return 1;
  };
  EXPECT_EQ(loop.run(body), 1);
}

TEST(Worker, StopCancelsSocketsSleepersAndWhatTheyAwaitNext) {
  std::vector<WaitEnd> ends;  // touched by the worker only, until it is joined
  const std::array<int, 2> pair = make_pair();
  WorkerThread loop;
  const auto start = [&](Worker& worker) -> Task<void> {
    const auto reader = [](Worker& w, int fd, std::vector<WaitEnd>& out) -> Task<void> {
      Socket socket(w, fd);
      socket.clear_ready(kRead);
      const WaitEnd first = co_await wait_for(socket, kRead, TimePoint::max());
      out.push_back(first);
      const WaitEnd second = co_await wait_for(socket, kRead, in(milliseconds(60'000)));
      out.push_back(second);
    };
    const auto sleeper = [](Worker& w, std::vector<WaitEnd>& out) -> Task<void> {
      for (int i = 0; i < 2; ++i) {
        const WaitEnd end = co_await sleep_until(w, in(milliseconds(60'000)));
        out.push_back(end);
      }
    };
    worker.spawn(reader(worker, pair[0], ends));
    worker.spawn(sleeper(worker, ends));
    co_return;
  };
  loop.run(start);
  loop.stop();
  EXPECT_EQ(ends, std::vector<WaitEnd>(4, WaitEnd::kCancelled));
  ::close(pair[1]);
}

// Only timers at first: the socket that a woken sleeper waits for then must be cancelled, too.
TEST(Worker, StopReachesWhatASleeperWaitsForNext) {
  bool ended = false;
  const std::array<int, 2> pair = make_pair();
  WorkerThread loop;
  const auto start = [&](Worker& worker) -> Task<void> {
    const auto body = [](Worker& w, int fd, bool& done) -> Task<void> {
      co_await sleep_until(w, in(milliseconds(60'000)));
      Socket socket(w, fd);
      socket.clear_ready(kRead);
      co_await wait_for(socket, kRead, TimePoint::max());
      done = true;
    };
    worker.spawn(body(worker, pair[0], ended));
    co_return;
  };
  loop.run(start);
  loop.stop();
  EXPECT_TRUE(ended);
  ::close(pair[1]);
}

TEST(Worker, CloseWakesTheWaiterOfTheSocket) {
  WorkerThread loop;
  const std::array<int, 2> pair = make_pair();
  const auto body = [&](Worker& worker) -> Task<WaitEnd> {
    auto socket = std::make_unique<Socket>(worker, pair[0]);
    socket->clear_ready(kRead);
    const auto closer = [](Worker& w, std::unique_ptr<Socket>& s) -> Task<void> {
      co_await w.yield();
      s.reset();
    };
    worker.spawn(closer(worker, socket));
    const WaitEnd end = co_await wait_for(*socket, kRead, TimePoint::max());
    co_return end;
  };
  EXPECT_EQ(loop.run(body), WaitEnd::kCancelled);
  ::close(pair[1]);
}

// Every socket is ready in one batch of events, and the first coroutine that runs destroys all of them.
TEST(Worker, SocketsClosedInsideABatchGetNoEvent) {
  constexpr std::size_t kPairs = 50;
  WorkerThread loop;
  const auto body = [](Worker& worker) -> Task<int> {
    std::vector<std::unique_ptr<Socket>> sockets;
    std::vector<int> peers;
    int ready = 0;
    int ended = 0;
    const auto waiter = [](std::vector<std::unique_ptr<Socket>>& all, std::size_t own, int& woken,
                           int& done) -> Task<void> {
      const WaitEnd end = co_await wait_for(*all[own], kRead, TimePoint::max());
      ++done;
      if (end != WaitEnd::kReady) co_return;
      ++woken;
      all.clear();
    };
    for (std::size_t i = 0; i < kPairs; ++i) {
      const std::array<int, 2> pair = make_pair();
      sockets.push_back(std::make_unique<Socket>(worker, pair[0]));
      sockets.back()->clear_ready(kRead);
      peers.push_back(pair[1]);
    }
    for (std::size_t i = 0; i < kPairs; ++i) worker.spawn(waiter(sockets, i, ready, ended));
    for (const int peer : peers) EXPECT_EQ(::write(peer, "x", 1), 1);
    while (ended < static_cast<int>(kPairs)) co_await worker.yield();
    for (const int peer : peers) ::close(peer);
    co_return ready;
  };
  EXPECT_EQ(loop.run(body), 1);
}

TEST(Worker, ReadinessThatCameWhileNobodyWaitedIsKept) {
  WorkerThread loop;
  const std::array<int, 2> pair = make_pair();
  const auto body = [&](Worker& worker) -> Task<std::string> {
    const std::unique_ptr<Stream> stream = make_tcp_stream(worker, pair[0]);
    std::array<char, 8> bytes = {};
    EXPECT_EQ(stream->try_read(bytes.data(), bytes.size()).status, IoStatus::kWouldBlock);
    EXPECT_EQ(::write(pair[1], "hi", 2), 2);
    co_await sleep_until(worker, in(milliseconds(20)));  // the edge is seen here
    const IoResult got = co_await read_some(*stream, bytes.data(), bytes.size(), in(milliseconds(5000)));
    co_return std::string(bytes.data(), got.bytes);
  };
  EXPECT_EQ(loop.run(body), "hi");
  ::close(pair[1]);
}

TEST(Worker, WaitForAnyTellsOfEitherSocketAndOfTheDeadline) {
  WorkerThread loop;
  const std::array<int, 2> a = make_pair();
  const std::array<int, 2> b = make_pair();
  const auto body = [&](Worker& worker) -> Task<void> {
    Socket first(worker, a[0]);
    Socket second(worker, b[0]);
    first.clear_ready(kRead);
    second.clear_ready(kRead);
    const Watch left{.socket = &first, .interest = kRead};
    const Watch right{.socket = &second, .interest = kRead};
    const WaitEnd silent = co_await wait_for_any(left, right, in(milliseconds(30)));
    EXPECT_EQ(silent, WaitEnd::kTimeout);
    EXPECT_EQ(::write(b[1], "x", 1), 1);
    const WaitEnd ready = co_await wait_for_any(left, right, in(milliseconds(5000)));
    EXPECT_EQ(ready, WaitEnd::kReady);
    EXPECT_EQ(first.ready() & kRead, 0);
    EXPECT_EQ(second.ready() & kRead, kRead);
  };
  loop.run(body);
  ::close(a[1]);
  ::close(b[1]);
}

TEST(Worker, WriteAllWaitsForASlowReader) {
  WorkerThread loop;
  const std::array<int, 2> pair = make_pair();
  const std::string bytes(4 << 20, 'z');
  std::size_t received = 0;
  std::jthread reader([&] {
    std::vector<char> chunk(65536);
    ::fcntl(pair[1], F_SETFL, 0);
    for (ssize_t got = 0; (got = ::read(pair[1], chunk.data(), chunk.size())) > 0;) {
      received += static_cast<std::size_t>(got);
    }
  });
  const auto body = [&](Worker& worker) -> Task<IoStatus> {
    const std::unique_ptr<Stream> stream = make_tcp_stream(worker, pair[0]);
    const IoResult sent = co_await write_all(*stream, bytes, in(milliseconds(10'000)));
    co_return sent.status;
  };
  EXPECT_EQ(loop.run(body), IoStatus::kOk);
  reader.join();
  EXPECT_EQ(received, bytes.size());
  ::close(pair[1]);
}

}  // namespace
}  // namespace akr::net
