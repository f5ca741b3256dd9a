#include <benchmark/benchmark.h>

#include "store/open.hpp"
#include "tests/support/example_config.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr {
namespace {

std::unique_ptr<Database> open_in(const TempDir& directory) {
  return open_database({.at = sqlite_file(directory.file("bench.db")), .encryption_key = Secret(std::string(32, 'k'))})
      .value();
}

// Import of n keys into an empty service: 10,000 in 3 s and 100,000 in 30 s are the limits.
void add_keys(benchmark::State& state) {
  const auto keys = example_keys(static_cast<int>(state.range(0)), "sk-proj-0123456789012345678901234567890123456789-");
  for (auto _ : state) {
    state.PauseTiming();
    TempDir directory;
    auto database = open_in(directory);
    const ServiceId id = database->config().add_service(example_service("a")).value().id;
    state.ResumeTiming();
    benchmark::DoNotOptimize(database->config().add_keys(id, keys).value());
    state.PauseTiming();
    database.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(add_keys)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

// What a start with n keys waits for: opening the database, then reading and opening every key.
void open_and_list_keys(benchmark::State& state) {
  TempDir directory;
  const auto keys = example_keys(static_cast<int>(state.range(0)), "sk-proj-0123456789012345678901234567890123456789-");
  const ServiceId id = open_in(directory)->config().add_service(example_service("a")).value().id;
  open_in(directory)->config().add_keys(id, keys).value();
  for (auto _ : state) {
    auto database = open_in(directory);
    benchmark::DoNotOptimize(database->config().list_keys(id).value());
  }
}
BENCHMARK(open_and_list_keys)->Arg(0)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace akr
