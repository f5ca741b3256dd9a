// descriptor_budget.hpp - how many client connections a limit of file descriptors allows.  Pure, but
// descriptor_limit() and what asks it.
//
// A busy client needs its own descriptor, one to its upstream, and a long body two for a pipe or one for a file, which
// one in four may have at a time.  Beside them: standard streams, database, logs, and per worker its loop, timers,
// listener, DNS and kept pipes.
#pragma once

#include <cstddef>

namespace akr {

// RLIMIT_NOFILE of this process; the largest number if there is none.
std::size_t descriptor_limit();

std::size_t descriptors_for(std::size_t connections, std::size_t workers, std::size_t reserved);
// The most connections that fit; at least 1.
std::size_t connections_within(std::size_t limit, std::size_t workers, std::size_t reserved);

// `wanted`, or what the limit leaves of it; that is logged, with the remedy.
std::size_t allowed_connections(std::size_t wanted, std::size_t workers, std::size_t reserved);

}  // namespace akr
