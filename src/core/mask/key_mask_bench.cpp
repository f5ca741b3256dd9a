#include <benchmark/benchmark.h>

#include "core/mask/key_mask.hpp"

namespace akr {
namespace {

const std::string kKey = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz";
const std::string kHead =
    "HTTP/1.1 200 OK\r\nDate: Fri, 27 Nov 2026 00:26:57 GMT\r\nContent-Type: application/json\r\n"
    "openai-processing-ms: 412\r\nx-request-id: req_0123456789abcdef0123456789abcdef\r\n"
    "strict-transport-security: max-age=31536000; includeSubDomains; preload\r\ncf-cache-status: DYNAMIC\r\n"
    "Server: cloudflare\r\nCF-RAY: 8c0123456789abcd-FRA\r\n";

void may_hold(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(KeyFilter(kKey).may_hold(kHead));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kHead.size()));
}
BENCHMARK(may_hold);

void mask(benchmark::State& state) {
  std::string text;
  while (text.size() < 65'536) text += kHead;
  for (auto _ : state) benchmark::DoNotOptimize(KeyMask(kKey).mask(text));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(mask);

}  // namespace
}  // namespace akr
