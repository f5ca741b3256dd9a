// failing_allocator.hpp - lets allocations of the program under test fail: operator new of this binary is replaced.
#pragma once

#include <cstddef>

namespace akr::test {

// Allocations of the calling thread are not counted and never fail from here on: tests, their clients and upstreams.
void exempt_this_thread();

// Of all allocations from here on, on threads that are not exempt: the first `after` work, the next `count` throw
// std::bad_alloc, the rest work again.
void fail_allocations(long after, long count);

// Ends it; returns how many failed.
long stop_failing();

}  // namespace akr::test
