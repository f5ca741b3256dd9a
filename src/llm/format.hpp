// format.hpp - one LLM wire dialect.  Stateless and shared: every method is const and may be called from any thread.
//
// Knows nothing of services, keys and sockets.  What an error means for a key is decided in core/outcome.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "llm/error_detail.hpp"
#include "llm/resources.hpp"
#include "llm/token_usage.hpp"

namespace akr {

// The header in which a provider wants its key.
struct UpstreamKeyPlacement {
  std::string_view header;  // lower case
  std::string_view prefix;  // "Bearer " or ""
};

// One server-sent event, already framed.
struct SseEventView {
  std::string_view event = {};  // the event: line, "" if there was none
  std::string_view data = {};   // the data: lines, joined by '\n'
};

class Format {
 public:
  virtual ~Format() = default;

  virtual std::string_view id() const = 0;          // "openai_chat"; stored and shown, never changes
  virtual std::string_view api_format() const = 0;  // the same on the admin wire: "openai_compatible"

  // ---- the head of a request and of its answer (all names lower case, static storage)
  virtual UpstreamKeyPlacement upstream_key_placement() const = 0;
  virtual std::span<const HeaderView> required_headers() const = 0;  // added when the client sent none of that name
  // Name the account of whoever holds the key: from the client they would contradict our key, towards the client they
  // would tell whose key it was.
  virtual std::span<const std::string_view> account_request_headers() const = 0;
  virtual std::span<const std::string_view> account_response_headers() const = 0;

  // ---- things that belong to the key that made them
  virtual const ResourceMap& resources() const = 0;

  // ---- good answers
  // Adds what a 2xx JSON body, or the data of an event of a stream, says about its cost; nothing if it is no JSON.
  virtual void read_usage(std::string_view json, TokenUsage& usage) const = 0;
  // Is there nothing in this whole 2xx JSON body although nothing says why?  False for calls that generate nothing.
  virtual bool is_empty_answer(std::string_view json) const = 0;
  // Is this event of a stream no content: a role, a ping, a count?  False for what we do not know.
  virtual bool is_empty_event(const SseEventView& event) const = 0;

  // ---- errors
  // What an error answer says.  Never fails: HTML, an empty or a broken body give kUnknown, and the hint of the
  // headers.
  virtual ErrorDetail parse_error(const ErrorAnswer& answer) const = 0;
  // Is this 2xx JSON body an error in disguise (a top-level "error")?  The detail's status is the one it means.
  virtual std::optional<ErrorDetail> error_in_success(const ErrorAnswer& answer) const = 0;
  // Is this event of a stream an error?  Asked for the first event, while the request can still be tried again.
  virtual std::optional<ErrorDetail> error_in_event(const SseEventView& event, WallTime now) const = 0;
  // A JSON body of our own for status `detail.status`, as this dialect's SDKs expect it.
  virtual std::string build_error(const ErrorDetail& detail) const = 0;
};

}  // namespace akr
