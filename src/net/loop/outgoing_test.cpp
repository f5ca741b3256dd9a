#include "net/loop/outgoing.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/stream_pair.hpp"

namespace akr::net {
namespace {

class OutgoingTest : public test::StreamPair {};

TEST_F(OutgoingTest, SendsItsPiecesInOrder) {
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

TEST_F(OutgoingTest, GoesOnWhereItStopped) {
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
