#include "net/http/message_slot.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/stream_pair.hpp"

namespace akr::net {
namespace {

class MessageSlotOnStream : public test::StreamPair {};

TEST(MessageSlot, ComesBackEmpty) {
  MessageSlotPtr slot = lease_slot();
  slot->buffer = Buffer::lease(10);
  slot->end = 7;
  slot.reset();
  slot = lease_slot();
  EXPECT_FALSE(slot->buffer);
  EXPECT_EQ(slot->unread(), "");
}

TEST_F(MessageSlotOnStream, GrowsAsAHeadNeedsItAndSaysWhenItIsFull) {
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

}  // namespace
}  // namespace akr::net
