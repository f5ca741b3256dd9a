// bench_upstream: the fake provider of the benchmark.  Prints "state=ready port=N" and serves until SIGTERM, then
// prints what it did.
//
//   bench_upstream [--host=127.0.0.1] [--port=0] [--rate=10] [--seconds=0] [--bad=KEY:STATUS[:RETRY_AFTER]]...
#include <utility>

#include "options.hpp"
#include "report.hpp"
#include "sockets.hpp"
#include "upstream_server.hpp"

int main(int argc, char** argv) {
  using namespace akr::bench;
  const Options options({argv + 1, argv + argc},
                        {{"host", "127.0.0.1"}, {"port", "0"}, {"rate", "10"}, {"seconds", "0"}}, {"bad"});
  install_stop_signals();
  raise_file_limit();
  const auto address = make_address(options.text("host"), static_cast<std::uint16_t>(options.number("port")));
  KeyScript keys;
  for (const std::string& bad : options.list("bad")) keys.add_bad(bad);
  const StreamDefaults streams = {.events_per_second = options.real("rate"), .seconds = options.real("seconds")};
  UpstreamServer server(address, streams, std::move(keys));
  Report ready;
  ready.add("state", "ready");
  ready.add("port", std::uint64_t{server.port()});
  ready.print();
  server.run();
  server.keys().print();
  Report totals;
  totals.add("requests", server.totals().requests);
  totals.add("events", server.totals().events);
  totals.add("skipped_events", server.totals().skipped_events);
  totals.print();
}
