#include "failing_allocator.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#ifdef AKR_SANITIZED
// SOCI loses the names of columns when memory ends while it describes a row (soci_sqlite3 4.0).
extern "C" const char* __lsan_default_suppressions();  // NOLINT: the sanitizer's name
const char* __lsan_default_suppressions() { return "leak:libsoci_sqlite3\n"; }
#endif

namespace akr::test {
namespace {

thread_local bool t_exempt = false;
std::atomic<long> g_first{-1};  // of the failing allocations; -1: none fails
std::atomic<long> g_last{-1};
std::atomic<long> g_seen{0};
std::atomic<long> g_failed{0};

bool fails_now() {
  if (t_exempt || g_first.load(std::memory_order_relaxed) < 0) return false;
  const long number = g_seen.fetch_add(1);
  if (number < g_first || number > g_last) return false;
  ++g_failed;
  return true;
}

void* allocate(std::size_t size, std::size_t alignment) {
  if (fails_now()) return nullptr;
  if (alignment <= alignof(std::max_align_t)) return std::malloc(size == 0 ? 1 : size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  void* memory = allocate(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void exempt_this_thread() { t_exempt = true; }

void fail_allocations(long after, long count) {
  g_seen = g_failed = 0;
  g_last = after + count - 1;
  g_first = after;
}

long stop_failing() {
  g_first = -1;
  return g_failed;
}

}  // namespace akr::test

void* operator new(std::size_t size) { return akr::test::allocate_or_throw(size, 0); }
void* operator new[](std::size_t size) { return akr::test::allocate_or_throw(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return akr::test::allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return akr::test::allocate(size, 0); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return akr::test::allocate(size, 0); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
