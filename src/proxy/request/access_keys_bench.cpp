// What it costs to find out who asks, by the number of access keys.
#include <string>

#include <benchmark/benchmark.h>

#include "proxy/request/access_keys.hpp"

namespace akr {
namespace {

void match(benchmark::State& state) {
  std::vector<Secret> keys;
  for (std::int64_t i = 0; i < state.range(0); ++i) keys.emplace_back("access-key-of-a-client-" + std::to_string(i));
  const std::string presented = "access-key-of-a-client-" + std::to_string(state.range(0) - 1);
  const AccessKeys known(std::move(keys));
  for (auto _ : state) benchmark::DoNotOptimize(known.match(presented));
}
BENCHMARK(match)->Arg(1)->Arg(1'000)->Arg(10'000);

}  // namespace
}  // namespace akr
