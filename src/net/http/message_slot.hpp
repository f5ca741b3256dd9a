// message_slot.hpp - a message's head with the bytes it points into.  Leased per thread: idle connections own none.
#pragma once

#include <memory>
#include <string_view>

#include "net/http/http1.hpp"
#include "net/loop/buffer.hpp"
#include "net/loop/stream.hpp"

namespace akr::net {

struct MessageSlot {
  MessageHead head;
  Buffer buffer;
  std::size_t begin = 0;  // first byte not consumed yet
  std::size_t end = 0;    // past the last byte read

  std::string_view unread() const { return {buffer.data() + begin, end - begin}; }
  bool full() const { return buffer && end == buffer.capacity(); }  // the next read needs a larger buffer
  // Reads once behind the bytes that are there; the buffer starts at `first_size` and grows as heads need it.
  // kError with EMSGSIZE when it is full at its largest.
  IoResult read_more(Stream& stream, std::size_t first_size);
};

struct RecycleSlot {
  void operator()(MessageSlot* slot) const;
};
using MessageSlotPtr = std::unique_ptr<MessageSlot, RecycleSlot>;
MessageSlotPtr lease_slot();

}  // namespace akr::net
