// routing_bench.cpp - what finding a service and building its upstream target costs per request.
#include <benchmark/benchmark.h>

#include "core/service/url.hpp"
#include "upstream/routing_table.hpp"

namespace akr {
namespace {

constexpr std::string_view kVersion[] = {"v1"};
constexpr JoinRule kVersionedJoin = {.bare_is_base = false, .once = kVersion};

RoutingTable table_of(int count) {
  std::vector<RoutedService> services;
  for (int i = 0; i < count; ++i) {
    RoutedService service;
    service.config.type = ServiceType::kLlm;
    service.config.slug = "service-" + std::to_string(i);
    service.url = *parse_upstream_url("https://api.example.com/v1");
    service.join = kVersionedJoin;
    services.push_back(std::move(service));
  }
  return RoutingTable(std::move(services));
}

void match_and_join(benchmark::State& state, std::string_view target) {
  const RoutingTable table = table_of(static_cast<int>(state.range(0)));
  std::string out;
  for (auto _ : state) {
    const auto match = table.match(target);
    out.clear();
    benchmark::DoNotOptimize(join_target(match->service->url, match->service->join, match->rest, match->query, out));
    benchmark::DoNotOptimize(out.data());
  }
}

void BM_MatchAndJoin(benchmark::State& state) { match_and_join(state, "/llm/service-7/v1/chat/completions?beta=true"); }
void BM_MatchAndJoinEscaped(benchmark::State& state) {
  match_and_join(state, "/llm/service-7/v1/models%2Fgpt%20x/caf%C3%A9;v=1?q=%20");
}
BENCHMARK(BM_MatchAndJoin)->Arg(10)->Arg(10'000);
BENCHMARK(BM_MatchAndJoinEscaped)->Arg(10);

}  // namespace
}  // namespace akr
