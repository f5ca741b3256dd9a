// proxy_under_test.hpp - the data plane alone, over real sockets: one worker, one service (and its fallbacks), whose
// pools the test can look into.
//
//   ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 3, .llm = true});
//   proxy.post("/v1/chat/completions", body).status
//   proxy.status(1).state
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llm/provider.hpp"
#include "proxy/gateway.hpp"
#include "tests/support/handler_server.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/temp_dir.hpp"
#include "upstream/routing_table.hpp"

namespace akr::test {

struct ProxySpec {
  std::string target_url;
  int keys = 1;
  bool llm = false;
  std::string api_format = "openai_compatible";
  const Provider* provider = nullptr;  // one that the registry does not have, in place of api_format's
  RetrySettings retry = {};            // LLM services: retry_non_idempotent is set
  std::string policy = "round_robin";
  std::chrono::milliseconds wait_for_key{0};
  std::chrono::milliseconds first_byte{5'000};
  std::chrono::milliseconds sse_keepalive{15'000};
  std::vector<FailureRule> rules = {};
  AdminCheck is_admin = {};
  bool all_disabled = false;
  std::vector<Upstream> upstreams = {};  // instead of target_url
  EjectionRule ejection = {};
  std::vector<ProxySpec> fallbacks = {};           // slugs "f1", "f2"; their keys are numbered from 101, 201
  std::function<void(Service&)> adjust = nullptr;  // the last word on the service
  std::vector<AffinityRule> affinity_rules = {};
  bool retry_on_empty = false;
  KeyLimits limits = {};  // of each key
  Pinning pinning = Pinning::kHome;
  std::vector<std::string> accounts = {};       // of the first keys
  const Clock* upload_clock = &system_clock();  // when credentials of uploads expire
};

class ProxyUnderTest {
 public:
  static constexpr std::string_view kAccessKey = "client-access-key-0123456789";
  static constexpr std::string_view kOtherAccessKey = "other-access-key-0123456789";

  explicit ProxyUnderTest(const ProxySpec& spec);
  ProxyUnderTest(const ProxyUnderTest&) = delete;
  ProxyUnderTest& operator=(const ProxyUnderTest&) = delete;
  ~ProxyUnderTest();

  // "upstream-key-001" and so on; sent as "Authorization: Bearer ...".
  static std::string key(int number);
  static std::string bearer(int number) { return "Bearer " + key(number); }

  HttpAnswer ask(std::string_view method, std::string_view path, std::string_view body = {},
                 std::string_view fields = {}, std::string_view access_key = kAccessKey);
  HttpAnswer get(std::string_view path, std::string_view fields = {}) { return ask("GET", path, {}, fields); }
  HttpAnswer post(std::string_view path, std::string_view body, std::string_view fields = {}) {
    return ask("POST", path, body, fields);
  }
  HttpClient client() const { return HttpClient(server_->port()); }
  std::string request(std::string_view method, std::string_view path, std::string_view body = {},
                      std::string_view fields = {}, std::string_view access_key = kAccessKey) const;

  KeyPool& pool(int service = 0) { return *pools_.at(static_cast<std::size_t>(service)); }  // 1 = the first fallback
  UpstreamSet& upstreams() { return *table_->services().front().upstreams; }
  PinTable& pins() { return pins_; }
  KeyStatus status(int number);
  // Seconds until the key's wait ends; 0 = none.
  double wait_of(int number);
  // Takes a key out of the game by a verdict, as an attempt would.
  void blame(int number, const Verdict& verdict);
  // The access log so far.
  std::string log();

 private:
  struct Node;
  const ProxySpec spec_;
  std::vector<std::shared_ptr<KeyPool>> pools_;
  std::shared_ptr<const RoutingTable> table_;
  PinTable pins_{"a key for pins of this test"};
  TempDir directory_;
  int log_ = -1;
  std::unique_ptr<Journal> journal_;
  Metrics metrics_{1};
  std::unique_ptr<AccessKeys> access_keys_;
  std::unique_ptr<UploadCredentials> uploads_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<HandlerServer> server_;
};

// A chat completion and its stream, as short as they can be.
inline constexpr std::string_view kChat = R"({"model":"m","messages":[]})";
inline constexpr std::string_view kJson = "Content-Type: application/json\r\n";

}  // namespace akr::test
