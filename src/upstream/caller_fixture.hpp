// caller_fixture.hpp - for tests: a Caller on a worker of its own, and a server on loopback that the test plays.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "net/loop/worker.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/run_on_worker.hpp"
#include "tests/support/tcp_server.hpp"
#include "upstream/call.hpp"

namespace akr {

inline PooledKey key_of(const std::string& secret) {
  PooledKey made;
  made.secret = Secret(secret);
  return made;
}

inline RoutedService service_at(const std::string& url) {
  RoutedService made;
  made.url = parse_upstream_url(url).value();
  return made;
}
inline RoutedService service_at(std::uint16_t port) { return service_at("http://127.0.0.1:" + std::to_string(port)); }

class CallerFixture : public testing::Test {
 protected:
  // Runs `body(caller)` on the worker, with a pool of connections that ends with it.
  template <class Body>
  auto with_caller(Body body, EnvProxy env_proxy = {}) {
    using Value = decltype(body(std::declval<Caller&>()).await_resume());
    const auto run = [&](net::Worker& worker) -> net::Task<Value> {
      net::ConnectorOptions options;
      options.address_allowed = [](std::span<const std::uint8_t>) { return true; };
      net::Connector connector(worker, std::move(options));
      net::UpstreamPool pool(worker, connector, {});
      Caller caller(worker, pool, env_proxy);
      Value value = co_await body(caller);
      co_return value;
    };
    return loop_.run(run);
  }

 private:
  test::WorkerThread loop_;
};

}  // namespace akr
