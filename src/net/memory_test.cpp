// What connections borrow: buffers, message slots, coroutine frames.
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/buffer.hpp"
#include "net/frame_pool.hpp"
#include "net/message_slot.hpp"
#include "net/outgoing.hpp"
#include "tests/support/run_on_worker.hpp"

namespace akr::net {
namespace {

TEST(Buffer, HasTheNextLargerSize) {
  EXPECT_EQ(Buffer::lease(1).capacity(), Buffer::kSmall);
  EXPECT_EQ(Buffer::lease(Buffer::kSmall).capacity(), Buffer::kSmall);
  EXPECT_EQ(Buffer::lease(Buffer::kSmall + 1).capacity(), Buffer::kMedium);
  EXPECT_EQ(Buffer::lease(Buffer::kMedium + 1).capacity(), Buffer::kLarge);
}

TEST(Buffer, MovesAndReleases) {
  Buffer one = Buffer::lease(Buffer::kSmall);
  one.data()[0] = 'x';
  Buffer two = std::move(one);
  EXPECT_FALSE(one);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(two.data()[0], 'x');
  two = Buffer::lease(Buffer::kMedium);
  EXPECT_EQ(two.capacity(), Buffer::kMedium);
  two.release();
  EXPECT_FALSE(two);
  two.release();
}

TEST(Buffer, LeasesAreDistinctAndUsableToTheLastByte) {
  std::vector<Buffer> all;
  for (int round = 0; round < 2; ++round) {
    for (const std::size_t size : {Buffer::kSmall, Buffer::kMedium, Buffer::kLarge}) {
      for (int i = 0; i < 100; ++i) {
        all.push_back(Buffer::lease(size));
        std::memset(all.back().data(), i, size);
      }
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(all[i].data()[all[i].capacity() - 1], static_cast<char>(i % 100));
    }
    all.clear();
  }
}

TEST(FramePool, GivesDistinctMemoryOfAnySize) {
  for (int round = 0; round < 3; ++round) {
    std::vector<std::pair<void*, std::size_t>> frames;
    for (const std::size_t size : {1U, 127U, 128U, 129U, 3072U, 3073U, 100'000U}) {
      for (int i = 0; i < 80; ++i) {
        frames.emplace_back(allocate_frame(size), size);
        std::memset(frames.back().first, i, size);
      }
    }
    for (std::size_t i = 0; i < frames.size(); ++i) {
      EXPECT_EQ(static_cast<char*>(frames[i].first)[frames[i].second - 1], static_cast<char>(i % 80));
      free_frame(frames[i].first, frames[i].second);
    }
  }
}

TEST(MessageSlot, ComesBackEmpty) {
  MessageSlotPtr slot = lease_slot();
  slot->buffer = Buffer::lease(10);
  slot->end = 7;
  slot.reset();
  slot = lease_slot();
  EXPECT_FALSE(slot->buffer);
  EXPECT_EQ(slot->unread(), "");
}

// ---- over a socket

class OverASocket : public testing::Test {
 protected:
  OverASocket() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_), 0); }
  ~OverASocket() override { ::close(ends_[1]); }
  void run(const std::function<Task<void>(Stream&)>& look) {
    loop_.run([&](Worker& worker) -> Task<void> {
      const auto stream = make_tcp_stream(worker, ends_[0]);
      co_await look(*stream);
    });
  }
  static TimePoint soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(10); }
  int ends_[2] = {-1, -1};
  test::WorkerThread loop_;
};

TEST_F(OverASocket, ASlotGrowsAsAHeadNeedsItAndThenSaysSo) {
  run([&](Stream& stream) -> Task<void> {
    MessageSlotPtr slot = lease_slot();
    std::string all;
    IoResult got;
    while ((got = slot->read_more(stream, Buffer::kSmall)).status != IoStatus::kError) {
      if (got.status == IoStatus::kWouldBlock) {
        const std::string more(3000, static_cast<char>('a' + all.size() / 3000 % 26));
        EXPECT_EQ(::write(ends_[1], more.data(), more.size()), 3000);
        all += more;
        const WaitEnd end = co_await wait_for(stream.socket(), got.want, soon());
        if (end != WaitEnd::kReady) break;
      }
      EXPECT_TRUE(slot->unread() == std::string_view(all).substr(0, slot->end));
    }
    EXPECT_EQ(got.error, EMSGSIZE);
    EXPECT_EQ(slot->end, Buffer::kLarge);
  });
}

TEST_F(OverASocket, OutgoingSendsItsPiecesInOrder) {
  run([&](Stream& stream) -> Task<void> {
    Outgoing out;
    out.add("one,");
    out.add("");
    out.add("two,");
    out.add("three");
    EXPECT_EQ(out.left(), 13U);
    EXPECT_EQ(out.try_send(stream).status, IoStatus::kOk);
    EXPECT_EQ(out.left(), 0U);
    char bytes[32];
    EXPECT_EQ(::read(ends_[1], bytes, sizeof bytes), 13);
    EXPECT_EQ(std::string_view(bytes, 13), "one,two,three");
    co_return;
  });
}

TEST_F(OverASocket, OutgoingGoesOnWhereItStopped) {
  run([&](Stream& stream) -> Task<void> {
    std::string expected;
    std::vector<std::string> pieces;
    for (int i = 0; i < Outgoing::kMaxParts; ++i) pieces.emplace_back(50'000, static_cast<char>('a' + i));
    Outgoing out;
    for (const std::string& piece : pieces) {
      EXPECT_TRUE(out.add(piece));
      expected += piece;
    }
    EXPECT_FALSE(out.add("no room"));
    EXPECT_EQ(out.room(), 0);
    std::string received;
    std::string held;
    bool blocked = false;
    for (;;) {
      const IoResult sent = out.try_send(stream);
      char bytes[30'000];
      ssize_t got = 0;
      while ((got = ::read(ends_[1], bytes, sizeof bytes)) > 0) received.append(bytes, static_cast<std::size_t>(got));
      if (sent.status == IoStatus::kOk) break;
      if (!std::exchange(blocked, true)) {
        out.hold(held);  // from now on the pieces' memory may go
        for (std::string& piece : pieces) piece.assign(piece.size(), '#');
      }
      const WaitEnd end = co_await wait_for(stream.socket(), sent.want, soon());
      EXPECT_EQ(end, WaitEnd::kReady);
      if (end != WaitEnd::kReady) break;
    }
    EXPECT_TRUE(blocked);
    EXPECT_TRUE(received == expected);
  });
}

}  // namespace
}  // namespace akr::net
