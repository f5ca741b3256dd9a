#include "net/http/message_slot.hpp"

#include <cerrno>
#include <cstring>
#include <vector>

namespace akr::net {
namespace {

[[maybe_unused]] constexpr std::size_t kKeepSlots = 64;  // the sanitizer builds keep none

std::vector<std::unique_ptr<MessageSlot>>& shelf() {
  thread_local std::vector<std::unique_ptr<MessageSlot>> slots;
  return slots;
}

}  // namespace

IoResult MessageSlot::read_more(Stream& stream, std::size_t first_size) {
  if (!buffer) buffer = Buffer::lease(first_size);
  if (end == buffer.capacity()) {
    if (buffer.capacity() >= Buffer::kLarge) return {.status = IoStatus::kError, .error = EMSGSIZE};
    Buffer larger = Buffer::lease(buffer.capacity() + 1);
    std::memcpy(larger.data(), buffer.data(), end);
    buffer = std::move(larger);
  }
  const IoResult result = stream.try_read(buffer.data() + end, buffer.capacity() - end);
  if (result.status == IoStatus::kOk) end += result.bytes;
  return result;
}

void RecycleSlot::operator()(MessageSlot* slot) const {
  std::unique_ptr<MessageSlot> owned(slot);
  owned->buffer.release();
  owned->begin = owned->end = 0;
#ifndef AKR_SANITIZED
  if (shelf().size() < kKeepSlots) shelf().push_back(std::move(owned));
#endif
}

MessageSlotPtr lease_slot() {
  auto& slots = shelf();
  if (slots.empty()) return MessageSlotPtr(new MessageSlot);
  MessageSlotPtr slot(slots.back().release());
  slots.pop_back();
  return slot;
}

}  // namespace akr::net
