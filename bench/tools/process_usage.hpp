// Processor time of other processes, read from /proc.
#pragma once

#include <cstdint>
#include <vector>

namespace akr::bench {

// User plus system time, all threads, in microseconds, summed over the processes.  A process that is gone counts as 0.
// The kernel's resolution is one clock tick (usually 10 ms), so measure over seconds.
std::int64_t cpu_microseconds(const std::vector<int>& pids);

}  // namespace akr::bench
