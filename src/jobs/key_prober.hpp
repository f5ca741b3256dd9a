// key_prober.hpp - asks providers whether keys are accepted, by calls that cost nothing: the way back of invalid keys
// without a person (behaviour.md D03), and a person's own question.
//
// Lives on a thread with a worker of its own, so that no client's request waits behind a probe.  In the background only
// invalid keys are asked about (KeyPool says when): a model list proves a credential, not a quota, and cooling and
// exhausted keys come back by their one trial request.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"
#include "net/client/connector.hpp"
#include "upstream/call.hpp"
#include "upstream/routing_table.hpp"

namespace akr {

struct ProbeResult {
  bool valid = false;  // the provider accepted the key
  int status = 0;      // 0: there was no answer
  std::string reason;  // of the verdict, or why there was no answer
  std::chrono::milliseconds took{0};
};

// The way out is the data plane's: the same addresses are refused, the same proxies used.
struct ProberOptions {
  net::ConnectorOptions connector = {};
  EnvProxy env_proxy = {};
};

class KeyProber {
 public:
  explicit KeyProber(ProberOptions options);
  ~KeyProber();  // stop()

  void start();
  void stop();  // cuts what runs; may be called twice

  // Any thread: the services from now on.
  void publish(std::shared_ptr<const RoutingTable> table);

  // Asks about one key now, whatever its state; at most about a minute.  Any thread, never blocks.  `done` is called
  // exactly once, on a thread of its choice, stop() included, and must be quick.  The result has been applied to the
  // pool by then: a refusal counts as one of a request, an acceptance brings an invalid key back.  kNotFound: no such
  // service or key; kUnsupported: there is no free call for the service; kShuttingDown.
  using Done = std::function<void(Result<ProbeResult>)>;
  void validate(ServiceId service, KeyId key, Done done);

  // Asks about these soon, a few at a time.  Forgotten at a restart; what does not fit (100,000 wait) is dropped.
  // Errors as validate(), without looking at the keys.  Waits for the prober's thread, never for a provider.
  Result<std::size_t> enqueue(ServiceId service, std::span<const KeyId> keys);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace akr
