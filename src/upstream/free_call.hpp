// free_call.hpp - the call that costs nothing and tells whether an upstream key is accepted: which one a service has,
// what is sent, what the answer means.
#pragma once

#include <string>
#include <string_view>

#include "core/outcome/verdict.hpp"
#include "net/loop/task.hpp"
#include "upstream/call.hpp"
#include "upstream/routed_service.hpp"

namespace akr {

// What the provider of an LLM service has; of GENERIC services the one that the operator named, if it carries a key.
bool has_free_call(const Service& service);

// That call to one URL of a service, with a key in its place.
class FreeCall final : public OutgoingRequest {
 public:
  // What is given outlives the call.  REQUIRES: has_free_call(service.config).  kPathRefused as join_target.
  static Result<FreeCall> make(const RoutedService& service, const UpstreamUrl& url, const PooledKey& key);
  void write_head(std::string& out) override;

 private:
  FreeCall(const RoutedService& service, const UpstreamUrl& url, const PooledKey& key)
      : service_(service), url_(url), key_(key) {}

  const RoutedService& service_;
  const UpstreamUrl& url_;
  const PooledKey& key_;
  std::string target_;  // without the key
};

struct FreeCallAnswer {
  int status = 0;      // 0: there was no answer
  Verdict verdict;     // as for a client's request; of KeyAction::kNone if there was no answer
  std::string reason;  // the verdict's, or why there was no answer
};

// Asks about `key`; at most about a minute.  The connection is not kept.  The caller, the service and the key outlive
// the call.
net::Task<FreeCallAnswer> make_free_call(Caller& caller, const RoutedService& service, const PooledKey& key);

}  // namespace akr
