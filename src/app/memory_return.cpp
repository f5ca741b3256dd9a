#include "app/memory_return.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <malloc.h>
#include <unistd.h>

namespace akr {
namespace {

// The allocator would learn to keep blocks of up to 32 MiB once it has seen one freed.  Request bodies in memory (1
// MiB) stay below this and are reused.
constexpr int kLargeBlock = 4 << 20;

std::uint64_t resident_bytes() {
  unsigned long long pages = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  const int read = std::fscanf(file, "%*u %llu", &pages);
  std::fclose(file);
  return read == 1 ? pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

MemoryUse measure_process() {
  const struct mallinfo2 heap = ::mallinfo2();
  return {resident_bytes(), heap.uordblks + heap.hblkhd};
}

}  // namespace

MemoryReturn::MemoryReturn() : MemoryReturn(measure_process, [] { ::malloc_trim(0); }) {}

MemoryReturn::MemoryReturn(std::function<MemoryUse()> measure, std::function<void()> trim)
    : measure_(std::move(measure)), trim_(std::move(trim)) {}

void MemoryReturn::look() {
  const auto kept = [](const MemoryUse& use) { return use.resident - std::min(use.resident, use.in_use); };
  const MemoryUse use = measure_();
  kept_ = std::min(kept_, kept(use));
  // While it still grows the memory would be asked for again at once.
  const bool grows = use.in_use > last_in_use_ + kWorthwhile;
  last_in_use_ = use.in_use;
  if (grows || kept(use) < kept_ + kWorthwhile) return;
  trim_();
  kept_ = kept(measure_());
}

void prepare_allocator() { ::mallopt(M_MMAP_THRESHOLD, kLargeBlock); }

}  // namespace akr
