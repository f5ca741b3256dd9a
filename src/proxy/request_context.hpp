// request_context.hpp - everything known about one request.  Plain: no I/O, never stored, each field says who sets it.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "core/pins/key_pin.hpp"
#include "core/service/routing_table.hpp"
#include "llm/provider.hpp"
#include "net/server/downstream.hpp"
#include "proxy/attempt/decision_trace.hpp"

namespace akr {

// Who asks.
struct AccessGrant {
  std::string_view fingerprint;  // of the access key; static for the process
  bool key_in_query = false;     // "key" must not travel on
  bool own_in_query = false;     // nor must the parameter in which the asked service's own key stands
};

struct RequestContext {
  RequestContext(net::Downstream& from, std::shared_ptr<const RoutingTable> table, TimePoint now)
      : client(from), routing(std::move(table)), started(now) {}

  net::Downstream& client;
  std::shared_ptr<const RoutingTable> routing;  // one table for this request's life
  TimePoint started;

  // gateway
  std::string id;    // X-Request-Id: the client's or our own
  RouteMatch route;  // match(): the service that was asked; views into the head
  // match(): the dialect of its errors and of what keeps it waiting.  nullptr: REST
  const Dialect* client_speaks = nullptr;
  UpstreamSpeech upstream_speaks;  // match(), attempts: of the service that serves; nothing for GENERIC ones
  AccessGrant grant;               // authenticate()
  std::string_view method;         // views into the head, or into `kept` once the head was given back
  std::string_view path;           // without query
  std::string kept;
  bool head_method = false;                   // HEAD: no answer body
  bool explain = false;                       // an administrator asked for the trace in the answer
  std::chrono::milliseconds longest_hold{0};  // of an event stream's head, before comments must flow; 0 = first_byte

  // read_request_facts()
  std::string model;  // "" = unknown
  std::uint64_t affinity = 0;
  std::uint32_t tokens = 0;  // estimate of its cost; 0 = unknown

  // find_pin()
  std::optional<PinnedKey> pinned;                // the only key that may serve this request
  const ResourceRule* makes_resources = nullptr;  // what its answer names, by the provider's knowledge

  // attempts
  const RoutedService* stand_in = nullptr;  // the fallback that serves instead; nullptr = the service that was asked
  const UpstreamUrl* upstream = nullptr;    // of the last attempt; nullptr = the service's only one
  UpstreamMask failed_upstreams = 0;        // of the service that serves
  std::array<KeyId, 10> tried_keys = {};    // of its pool: as many as RetrySettings::max_attempts can be
  int tried_count = 0;
  int attempts = 0;             // with all services
  std::string key_fingerprint;  // of the last key (8 characters: no allocation)
  std::string_view outcome;     // reason of the last verdict
  DecisionTrace trace;
  TimePoint first_sent{};                 // the first attempt began (connecting counts as upstream time)
  TimePoint answered{};                   // head of the final answer complete
  Duration overhead{};                    // ours, until the answer's head was written (append_own_fields)
  TimePoint deadline = TimePoint::max();  // Timeouts::total
  std::chrono::milliseconds total{0};     // the value behind it

  // relay, error_reply
  int status = 0;
  bool from_upstream = false;
  ErrorCode error = ErrorCode::kInternal;  // valid if failed
  bool failed = false;
  std::string detail;  // one sentence for the log
  std::uint64_t bytes_out = 0;
  bool streamed = false;
  bool cut = false;

  const RoutedService& asked() const { return *route.service; }
  // The one whose keys, rules and limits apply now; in the end, the one that answered.
  const RoutedService& service() const { return stand_in != nullptr ? *stand_in : *route.service; }
  const UpstreamUrl& upstream_url() const { return upstream != nullptr ? *upstream : service().url; }
  // Finds out what is spoken on both sides.  REQUIRES: `route` was set just now.
  void listen();
  // From now on `fallback` (nullptr: the asked one) serves; its pool and its URLs are untried.
  void serve_from(const RoutedService* fallback);
  // Timeouts::total of the service that serves, counted from `from`; an earlier deadline stays.
  void limit_total(TimePoint from);
  // What follows the slug in the path, as the client sent it: "" or "/...".  REQUIRES: the head is still there.
  std::string_view path_behind_slug() const;
  // Looks at the head again: its bytes move when a body needs a larger buffer.
  void note_head();
  // Before the head's memory is given back: what the log still needs.  Other views into the head end here.
  void keep_for_log();
  std::span<const KeyId> tried() const { return {tried_keys.data(), static_cast<std::size_t>(tried_count)}; }
};

}  // namespace akr
