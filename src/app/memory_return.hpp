// memory_return.hpp - gives memory back to the system when a peak has passed.
//
// The allocator keeps what was freed between blocks that still live, so that one import or one flood would raise the
// process for good.  Looked at once a second, on one thread.
#pragma once

#include <cstdint>
#include <functional>

namespace akr {

struct MemoryUse {
  std::uint64_t resident = 0;  // bytes of the process
  std::uint64_t in_use = 0;    // of them handed out by the allocator
};

class MemoryReturn {
 public:
  static constexpr std::uint64_t kWorthwhile = 16ULL << 20;

  // `measure` and `trim` default to the process's own.
  MemoryReturn();
  MemoryReturn(std::function<MemoryUse()> measure, std::function<void()> trim);

  void look();

 private:
  const std::function<MemoryUse()> measure_;
  const std::function<void()> trim_;
  std::uint64_t kept_ = 0;  // resident but not in use, when last trimmed: the least that can be reached
  std::uint64_t last_in_use_ = 0;
};

// Before the first thread: large blocks always come from the system and go back to it.
void prepare_allocator();

}  // namespace akr
