// request_context.hpp - everything known about one request.  Plain: no I/O, never stored, each field says who sets it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "core/pins/key_pin.hpp"
#include "llm/provider.hpp"
#include "net/server/downstream.hpp"
#include "proxy/attempt/decision_trace.hpp"
#include "upstream/routing_table.hpp"

namespace akr {

// Who asks.
struct AccessGrant {
  std::string_view fingerprint;     // of the access key; static for the process
  bool key_in_query = false;        // "key" must not travel on
  bool own_in_query = false;        // nor must the parameter in which the asked service's own key stands
  bool upload_in_query = false;     // nor a credential of ours (upload_credential.hpp)
  bool drops_subprotocols = false;  // nor what the client offers: a key may be hidden in it
  // If such a credential let the request in: when it expires, in seconds since 1970.  0: an access key did.
  std::int64_t upload_expires = 0;
};

// Who answers a request, or was asked in vain: what was true of one attempt, and stays with it.
struct ServedBy {
  const RoutedService* service = nullptr;  // lives as long as the routing table
  UpstreamSpeech speaks;                   // what it is spoken to in; nothing for GENERIC ones
  const UpstreamUrl* url = nullptr;
  std::string key = {};           // fingerprint (8 characters: no allocation); "" = none was taken
  std::string_view outcome = {};  // reason of the verdict
};

class UploadCredentials;

struct RequestContext {
  RequestContext(net::Downstream& from, std::shared_ptr<const RoutingTable> table, TimePoint now)
      : client(from), routing(std::move(table)), started(now) {}

  net::Downstream& client;
  std::shared_ptr<const RoutingTable> routing;  // one table for this request's life
  TimePoint started;

  // gateway
  std::string id;  // X-Request-Id: the client's or our own
  // PROXY_PUBLIC_BASE_URL, if it was set: how clients reach us, for URLs in answers.  "": as this one did
  std::string_view public_base = {};
  const UploadCredentials* uploads = nullptr;  // signs the URLs of uploads that answers tell; nullptr: nobody does
  RouteMatch route;                            // match(): the service that was asked; views into the head
  // match(): the dialect of its errors and of what keeps it waiting.  nullptr: REST
  const Dialect* client_speaks = nullptr;
  // match(): the asked service, as its clients speak to it; attempts: of the one whose answer, or error, goes down
  ServedBy served;
  AccessGrant grant;        // authenticate()
  std::string_view method;  // views into the head, or into `kept` once the head was given back
  std::string_view path;    // without query
  std::string kept;
  bool generates = false;                     // match(): asks for something to be made at once (Provider::generates)
  bool head_method = false;                   // HEAD: no answer body
  bool explain = false;                       // an administrator asked for the trace in the answer
  std::chrono::milliseconds longest_hold{0};  // of an event stream's head, before comments must flow; 0 = first_byte

  // prepare_now()
  std::uint64_t body_limit = 0;  // longest body, in bytes

  // read_request_facts()
  std::string model;  // "" = unknown
  std::uint64_t affinity = 0;
  std::uint32_t tokens = 0;  // estimate of its cost; 0 = unknown

  // find_pin()
  std::optional<PinnedKey> pinned;                // the only key, or account, that may serve this request
  bool at_home = false;                           // it makes something, which is to be with what else was made
  const ResourceRule* makes_resources = nullptr;  // what its answer names, by the provider's knowledge
  bool names_own = false;                         // something that its access key made
  bool names_unread = false;                      // it may name more than was read
  bool streamed_unread = false;                   // nobody looked: it passes through (stream_uploads)
  std::vector<std::size_t> named;  // hashes of what it names, sorted, if its answer may name what it makes

  // attempts
  int attempts = 0;  // with all services
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
  // Finds out what is spoken on both sides.  REQUIRES: `route` was set just now.
  void listen();
  // Timeouts::total of the service that is tried, counted from `from`; an earlier deadline stays.
  void limit_total(const Service& service, TimePoint from);
  // What follows the slug in the path, as the client sent it: "" or "/...".  REQUIRES: the head is still there.
  std::string_view path_behind_slug() const;
  // Looks at the head again: its bytes move when a body needs a larger buffer.
  void note_head();
  // Before the head's memory is given back: what the log still needs.  Other views into the head end here.
  void keep_for_log();
};

}  // namespace akr
