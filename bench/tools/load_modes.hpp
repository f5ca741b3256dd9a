// The modes of the load generator.  Each runs to its end, prints one line of key=value pairs and returns the process's
// exit status: 0 if it could measure, 1 if it could not.
#pragma once

#include <cstdint>
#include <vector>

#include "load_engine.hpp"

namespace akr::bench {

struct LoadPlan {
  std::uint64_t connections = 64;
  std::uint64_t requests = 0;   // stop after so many (0: after `seconds`)
  std::uint64_t inflight = 64;  // connections being opened at the same time (idle, sse)
  double rate = 2000;           // requests per second (rate)
  double warmup_seconds = 1;
  double seconds = 5;        // 0: until SIGTERM
  std::vector<int> watched;  // processes whose processor time is reported
};

// Every connection sends the next request as soon as it has the response: closed loop, bulk and single uploads.
int run_repeat(Engine& engine, const LoadPlan& plan, std::string_view name);

// A request leaves every 1/rate seconds, whether or not the earlier ones were answered, and its latency counts from the
// moment it should have left: a stalled proxy cannot hide by slowing the generator down.
int run_rate(Engine& engine, const LoadPlan& plan);

// Opens the connections, one request on each, prints "state=ready", then holds them: keep-alive connections at rest
// (idle) or event streams that are read (sse).
int run_idle(Engine& engine, const LoadPlan& plan);
int run_sse(Engine& engine, const LoadPlan& plan);

}  // namespace akr::bench
