// bench_load: the load generator of the benchmark.
//
//   bench_load --mode=closed|rate|idle|sse|bulk|upload --port=N [options]
//
//   --host=127.0.0.1  --path=/  --method=  --header="Name: value" (repeatable)  --body=BYTES
//   --connections=N  --seconds=S (0: until SIGTERM)  --warmup=S  --requests=N (closed, bulk: stop after so many)
//   --rate=R (rate)  --inflight=N (idle, sse)  --watch=PID,PID (report their processor time)
//
// Prints one line of key=value pairs; idle and sse print "state=ready ..." before it, when everything is open.
#include <cstdio>

#include "load_modes.hpp"
#include "options.hpp"

namespace akr::bench {
namespace {

constexpr std::uint64_t kSmallBody = 1024;

struct ModeDefaults {
  std::string_view name;
  std::string_view method;
  std::uint64_t body;
  std::uint64_t connections;
};

constexpr ModeDefaults kModes[] = {
    {"closed", "POST", kSmallBody, 64},
    {"rate", "POST", kSmallBody, 64},
    {"idle", "POST", kSmallBody, 5000},
    {"sse", "POST", kSmallBody, 1000},
    {"bulk", "GET", 0, 4},
    {"upload", "POST", 1 << 30, 1},
};

const ModeDefaults* find_mode(std::string_view name) {
  for (const auto& mode : kModes) {
    if (mode.name == name) return &mode;
  }
  return nullptr;
}

// What a client library sends: with the access key header of the benchmark that makes eleven fields.
RequestBytes make_request(const Options& options, const ModeDefaults& mode) {
  const auto& method = options.text("method");
  RequestBytes request{.head = {}, .body_bytes = options.text("body").empty() ? mode.body : options.number("body")};
  request.head = (method.empty() ? std::string(mode.method) : method) + " " + options.text("path") + " HTTP/1.1\r\n" +
                 "Host: " + options.text("host") + ":" + options.text("port") +
                 "\r\n"
                 "Connection: keep-alive\r\n"
                 "Accept: application/json\r\n"
                 "Accept-Encoding: gzip, deflate\r\n"
                 "User-Agent: OpenAI/Python 1.30.1\r\n"
                 "X-Stainless-Lang: python\r\n"
                 "X-Stainless-Package-Version: 1.30.1\r\n"
                 "X-Stainless-Os: Linux\r\n";
  if (request.body_bytes != 0) {
    request.head += "Content-Type: application/json\r\nContent-Length: " + std::to_string(request.body_bytes) + "\r\n";
  }
  for (const auto& header : options.list("header")) request.head += header + "\r\n";
  request.head += "\r\n";
  return request;
}

LoadPlan make_plan(const Options& options, const ModeDefaults& mode) {
  LoadPlan plan;
  plan.connections = options.text("connections").empty() ? mode.connections : options.number("connections");
  plan.requests = mode.name == "upload" ? plan.connections : options.number("requests");
  plan.inflight = options.number("inflight");
  plan.rate = options.real("rate");
  plan.warmup_seconds = options.real("warmup");
  plan.seconds = options.real("seconds");
  plan.watched = parse_pids(options.text("watch"));
  return plan;
}

int run_mode(Engine& engine, const LoadPlan& plan, std::string_view name) {
  if (name == "rate") return run_rate(engine, plan);
  if (name == "idle") return run_idle(engine, plan);
  if (name == "sse") return run_sse(engine, plan);
  return run_repeat(engine, plan, name);
}

}  // namespace
}  // namespace akr::bench

int main(int argc, char** argv) {
  using namespace akr::bench;
  const Options options({argv + 1, argv + argc},
                        {{"mode", ""},
                         {"host", "127.0.0.1"},
                         {"port", ""},
                         {"path", "/"},
                         {"method", ""},
                         {"body", ""},
                         {"connections", ""},
                         {"seconds", "5"},
                         {"warmup", "1"},
                         {"requests", "0"},
                         {"rate", "2000"},
                         {"inflight", "64"},
                         {"watch", ""}},
                        {"header"});
  const ModeDefaults* mode = find_mode(options.text("mode"));
  if (mode == nullptr) {
    std::fprintf(stderr, "bench: --mode must be closed, rate, idle, sse, bulk or upload\n");
    return 2;
  }
  install_stop_signals();
  raise_file_limit();
  const auto target = make_address(options.text("host"), static_cast<std::uint16_t>(options.number("port")));
  Engine engine(target, make_request(options, *mode));
  return run_mode(engine, make_plan(options, *mode), mode->name);
}
