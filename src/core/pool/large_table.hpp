// large_table.hpp - a vector for tables that are read at random places.
//
// From 4 MiB on it asks the kernel for huge pages: in a pool of a million keys most of the price of a random look-up is
// the page walk, not the cache miss (measured: 700 ns against 330 ns per selection with limits).  Only a hint; where
// the kernel knows none, it is an ordinary vector.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include <sys/mman.h>

namespace akr {

template <class T>
struct LargeTableAllocator {
  using value_type = T;
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;

  LargeTableAllocator() = default;
  template <class U>
  explicit LargeTableAllocator(const LargeTableAllocator<U>&) {}

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    void* memory = ::operator new(bytes, alignment(bytes));
#ifdef MADV_HUGEPAGE
    if (bytes >= 2 * kHugePage) static_cast<void>(::madvise(memory, bytes, MADV_HUGEPAGE));
#endif
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) { ::operator delete(memory, alignment(count * sizeof(T))); }
  friend bool operator==(const LargeTableAllocator&, const LargeTableAllocator&) { return true; }

 private:
  static std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t(bytes >= 2 * kHugePage ? kHugePage : alignof(T));
  }
};

template <class T>
using LargeTable = std::vector<T, LargeTableAllocator<T>>;

}  // namespace akr
