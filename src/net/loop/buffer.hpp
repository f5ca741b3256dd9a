// buffer.hpp - memory for bytes on their way through, leased per thread and given back at once when idle.
//
// Three sizes: 4 KiB for a request head, 16 KiB for an answer, 80 KiB for bulk and for a 64 KiB head with a body behind
// it.  A lease is owned by one object and returns itself; the pool keeps a few of each size, the rest goes back to the
// allocator.
#pragma once

#include <cstddef>
#include <utility>

namespace akr::net {

class Buffer {
 public:
  static constexpr std::size_t kSmall = 4096;
  static constexpr std::size_t kMedium = 16'384;
  static constexpr std::size_t kLarge = 81'920;

  Buffer() = default;
  // What lease(capacity) gives.
  static constexpr std::size_t rounded(std::size_t capacity) {
    return capacity <= kSmall ? kSmall : capacity <= kMedium ? kMedium : kLarge;
  }
  // At least `capacity` bytes, up to kLarge.
  static Buffer lease(std::size_t capacity);
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      release();
      data_ = std::exchange(other.data_, nullptr);
      capacity_ = std::exchange(other.capacity_, 0);
    }
    return *this;
  }
  ~Buffer() { release(); }

  char* data() { return data_; }
  const char* data() const { return data_; }
  std::size_t capacity() const { return capacity_; }
  explicit operator bool() const { return data_ != nullptr; }
  void release();

 private:
  char* data_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace akr::net
