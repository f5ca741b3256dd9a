#include "net/loop/frame_pool.hpp"

#include <array>
#include <cstdint>
#include <new>

namespace akr::net {

#ifdef AKR_SANITIZED
// Recycled memory would hide a use after free from the sanitizers.
void* allocate_frame(std::size_t size) { return ::operator new(size); }
void free_frame(void* frame, std::size_t) noexcept { ::operator delete(frame); }
#else
namespace {

constexpr std::size_t kStep = 128;
constexpr std::size_t kClasses = 24;         // up to 3 KiB; larger frames are rare and go to malloc
constexpr std::uint32_t kKeepPerClass = 64;  // a burst's memory goes back to the allocator

struct FreeFrame {
  FreeFrame* next;
};

struct Cache {
  std::array<FreeFrame*, kClasses> heads = {};
  std::array<std::uint32_t, kClasses> counts = {};
};

// Trivially destructible on purpose: it is used while other thread-locals are being destroyed.
thread_local Cache t_cache;

constexpr std::size_t class_of(std::size_t size) { return (size - 1) / kStep; }

}  // namespace

void* allocate_frame(std::size_t size) {
  const std::size_t index = class_of(size);
  if (index >= kClasses) return ::operator new(size);
  if (FreeFrame* frame = t_cache.heads[index]) {
    t_cache.heads[index] = frame->next;
    --t_cache.counts[index];
    return frame;
  }
  return ::operator new((index + 1) * kStep);
}

void free_frame(void* frame, std::size_t size) noexcept {
  const std::size_t index = class_of(size);
  if (index >= kClasses || t_cache.counts[index] >= kKeepPerClass) {
    ::operator delete(frame);
    return;
  }
  auto* entry = static_cast<FreeFrame*>(frame);
  entry->next = t_cache.heads[index];
  t_cache.heads[index] = entry;
  ++t_cache.counts[index];
}
#endif

}  // namespace akr::net
