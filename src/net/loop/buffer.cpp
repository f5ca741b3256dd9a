#include "net/loop/buffer.hpp"

#include <array>
#include <cstdlib>
#include <new>
#include <vector>

namespace akr::net {
namespace {

constexpr std::array<std::size_t, 3> kSizes = {Buffer::kSmall, Buffer::kMedium, Buffer::kLarge};
constexpr std::array<std::size_t, 3> kKeep = {64, 16, 4};

std::size_t class_of(std::size_t capacity) { return capacity <= kSizes[0] ? 0 : capacity <= kSizes[1] ? 1 : 2; }

struct Shelf {
  std::array<std::vector<char*>, 3> free;
  Shelf() {
    for (std::size_t i = 0; i < free.size(); ++i) free[i].reserve(kKeep[i]);
  }
  ~Shelf() {
    for (auto& list : free) {
      for (char* block : list) std::free(block);
    }
  }
};

Shelf& shelf() {
  thread_local Shelf shelf;
  return shelf;
}

}  // namespace

Buffer Buffer::lease(std::size_t capacity) {
  const std::size_t index = class_of(capacity);
  Buffer buffer;
  buffer.capacity_ = kSizes[index];
  auto& free = shelf().free[index];
  if (!free.empty()) {
    buffer.data_ = free.back();
    free.pop_back();
    return buffer;
  }
  buffer.data_ = static_cast<char*>(std::malloc(buffer.capacity_));
  if (buffer.data_ == nullptr) throw std::bad_alloc();
  return buffer;
}

void Buffer::release() {
  if (data_ == nullptr) return;
#ifndef AKR_SANITIZED
  const std::size_t index = class_of(capacity_);
  auto& free = shelf().free[index];
  if (free.size() < kKeep[index]) {
    free.push_back(data_);
    data_ = nullptr;
    return;
  }
#endif
  std::free(data_);
  data_ = nullptr;
}

}  // namespace akr::net
