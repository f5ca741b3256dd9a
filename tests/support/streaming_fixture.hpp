// streaming_fixture.hpp - a gateway before an upstream whose answer the test sends piece by piece.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr::test {

// A count that one thread raises and another waits for.
class Steps {
 public:
  void raise() {
    const std::lock_guard lock(mutex_);
    ++count_;
    raised_.notify_all();
  }
  bool wait_for(int count) {
    std::unique_lock lock(mutex_);
    return raised_.wait_for(lock, std::chrono::seconds(20), [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable raised_;
  int count_ = 0;
};

class StreamingFixture : public testing::Test {
 protected:
  static inline const std::string kGet = TestGateway::request("GET", "/proxy/s/a", kKeyField);

  HttpAnswer get() { return gateway_.get("/proxy/s/a"); }
  void add(const std::string& more = "") { gateway_.add_service({.target_url = upstream_.url(), .more = more}); }
  void add_llm(const std::string& format, const std::string& more = "") {
    gateway_.add_service({.target_url = upstream_.url(), .llm = true, .api_format = format, .more = more});
  }

  ChangingScript script_;
  FakeUpstream upstream_{[this](UpstreamCall& call) { script_(call); }};
  TestGateway gateway_{{{"SSE_KEEPALIVE", "1"}}};
};

}  // namespace akr::test
