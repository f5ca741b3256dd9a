// request_context.hpp - everything known about one request.  Plain: no I/O, never stored, each field says who sets it.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "core/routing_table.hpp"
#include "llm/format.hpp"
#include "net/downstream.hpp"
#include "proxy/decision_trace.hpp"

namespace akr {

// Who asks.
struct AccessGrant {
  std::string_view fingerprint;  // of the access key; static for the process
  bool key_in_query = false;     // "key" must not travel on
};

struct RequestContext {
  RequestContext(net::Downstream& from, std::shared_ptr<const RoutingTable> table, TimePoint now)
      : client(from), routing(std::move(table)), started(now) {}

  net::Downstream& client;
  std::shared_ptr<const RoutingTable> routing;  // one table for this request's life
  TimePoint started;

  // gateway
  std::string id;                  // X-Request-Id: the client's or our own
  RouteMatch route;                // match(); views into the head
  const Format* format = nullptr;  // nullptr for generic services
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

  // attempts
  std::array<KeyId, 10> tried_keys = {};  // as many as RetrySettings::max_attempts can be
  int attempts = 0;
  std::string key_fingerprint;  // of the last key (8 characters: no allocation)
  std::string_view outcome;     // reason of the last verdict
  DecisionTrace trace;
  TimePoint first_sent{};                 // the first attempt began (connecting counts as upstream time)
  TimePoint answered{};                   // head of the final answer complete
  Duration overhead{};                    // ours, until the answer's head was written (append_own_fields)
  TimePoint deadline = TimePoint::max();  // Timeouts::total

  // relay, error_reply
  int status = 0;
  bool from_upstream = false;
  ErrorCode error = ErrorCode::kInternal;  // valid if failed
  bool failed = false;
  std::string detail;  // one sentence for the log
  std::uint64_t bytes_out = 0;
  bool streamed = false;
  bool cut = false;

  const RoutedService& service() const { return *route.service; }
  // Looks at the head again: its bytes move when a body needs a larger buffer.
  void note_head();
  // Before the head's memory is given back: what the log still needs.  Other views into the head end here.
  void keep_for_log();
  std::span<const KeyId> tried() const { return {tried_keys.data(), static_cast<std::size_t>(attempts)}; }
};

}  // namespace akr
