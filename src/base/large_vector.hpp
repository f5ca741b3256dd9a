// large_vector.hpp - a std::vector whose memory is in huge pages once it is large.
//
// A table of a million rows that is read here and there misses the TLB almost every time in pages of 4 KiB, and in a
// virtual machine that costs more than the missing cache line.  Small vectors are ordinary ones.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include <sys/mman.h>

namespace akr {

template <class T>
class LargeAllocator {
 public:
  using value_type = T;
  LargeAllocator() = default;
  template <class U>
  explicit(false) LargeAllocator(const LargeAllocator<U>&) {}  // NOLINT: allocators convert

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    void* const memory = ::operator new(bytes, alignment(bytes));
    // A hint: without huge pages everything works, slower.
    if (bytes >= kLarge) ::madvise(memory, bytes, MADV_HUGEPAGE);
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) { ::operator delete(memory, alignment(count * sizeof(T))); }

  friend bool operator==(const LargeAllocator&, const LargeAllocator&) { return true; }

 private:
  static constexpr std::size_t kHugePage = std::size_t{2} * 1024 * 1024;
  static constexpr std::size_t kLarge = kHugePage;
  static std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t(bytes >= kLarge ? kHugePage : alignof(T));
  }
};

template <class T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

}  // namespace akr
