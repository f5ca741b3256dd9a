// key_prober_fixture.hpp - for tests: a provider whose answer to the next call is set by the test, and keys of its.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <string>

#include <gtest/gtest.h>

#include "core/keys/pool/pool_test_support.hpp"
#include "jobs/key_prober.hpp"
#include "tests/support/handler_server.hpp"

namespace akr {

using namespace std::chrono_literals;

inline TimePoint real_now() { return system_clock().now(); }

// A provider whose answer to the next call is set by the test.
class KeyProberTest : public testing::Test {
 protected:
  KeyProberTest() {
    pool_->configure({.outage_guard = false}).value();
    pool_->replace_keys(pool_test::make_keys(2));
    ProberOptions options;
    options.env_proxy = [this](const UpstreamUrl&) { return env_proxy_; };
    options.connector.address_allowed = [](std::span<const std::uint8_t>) { return true; };
    prober_ = std::make_unique<KeyProber>(options);
    publish(service("openai_compatible", "/v1"));
    prober_->start();
  }

  RoutedService service(const std::string& format, const std::string& base) {
    RoutedService made;
    made.config.id = ServiceId{7};
    made.config.slug = "s";
    made.config.type = ServiceType::kLlm;
    made.config.api_format = format;
    find_provider_of(made);
    made.url = parse_upstream_url("http://127.0.0.1:" + std::to_string(provider_.port()) + base).value();
    made.keys = pool_;
    return made;
  }
  void publish(RoutedService one) {
    std::vector<RoutedService> all;
    all.push_back(std::move(one));
    prober_->publish(std::make_shared<const RoutingTable>(std::move(all)));
  }
  Result<ProbeResult> validate(ServiceId service, KeyId key) { return validate(*prober_, service, key); }
  static Result<ProbeResult> validate(KeyProber& prober, ServiceId service, KeyId key) {
    std::promise<Result<ProbeResult>> promise;
    prober.validate(service, key, [&](Result<ProbeResult> result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }
  void report(std::int64_t key, const Verdict& verdict) {
    pool_test::take(*pool_, key, 2, real_now()).value().report(verdict, real_now());
  }
  KeyState state(std::int64_t key) { return pool_test::state(*pool_, key, real_now()); }
  std::string asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  net::Task<void> serve(net::Downstream& client) {
    {
      const std::lock_guard lock(mutex_);
      asked_ = std::string(client.head().method()) + " " + std::string(client.head().target()) + " " +
               std::string(client.head().find("authorization")) + std::string(client.head().find("x-goog-api-key")) +
               std::string(client.head().find("x-api-key"));
    }
    ++calls_;
    co_await client.reply(status_, "Content-Type: application/json\r\n", body_);
  }

  std::atomic<int> status_ = 200;
  std::string body_ = R"({"object":"list","data":[]})";
  std::atomic<int> calls_ = 0;
  std::string env_proxy_;
  std::mutex mutex_;
  std::string asked_;
  test::HandlerServer provider_{[this](net::Downstream& client) { return serve(client); }};
  std::shared_ptr<KeyPool> pool_ = std::make_shared<KeyPool>(7);
  std::unique_ptr<KeyProber> prober_;
};

}  // namespace akr
