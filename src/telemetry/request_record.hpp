// request_record.hpp - everything worth knowing about a finished request, for the access log and the metrics.
//
// Views are valid during the call that takes the record.  No member can hold a secret: keys appear as fingerprints,
// the path without its query values.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.hpp"

namespace akr {

enum class AnswerSource : std::uint8_t { kUpstream, kGateway };

struct RequestRecord {
  std::string_view id;  // X-Request-Id
  std::string_view client_ip;
  std::string_view access_key;  // fingerprint of the client's key; "" if refused
  std::int64_t service_id = 0;  // 0 = none matched
  std::string_view service;     // slug; "" if none matched
  std::string_view served_by;   // slug of the fallback that answered; "" = the service itself
  std::string_view method;
  std::string_view path;  // without query
  int status = 0;         // as sent to the client; 499 = it left before a head
  AnswerSource source = AnswerSource::kGateway;
  std::string_view error;    // stable code of our own error; "" if none
  std::string_view detail;   // one sentence: which timer fired with its value, which address failed
  std::string_view key;      // fingerprint of the last upstream key
  std::string_view outcome;  // reason of the last verdict
  int attempts = 0;
  std::string_view conversation;  // which mark of the request named its conversation; "" = none, or nobody asked
  std::uint32_t skipped = 0;      // enabled keys that the last choice passed over
  std::string_view trace;         // JSON array: all choices and their outcomes, for requests that failed; "" = none
  std::uint64_t bytes_in = 0;     // request body
  std::uint64_t bytes_out = 0;    // answer body
  bool streamed = false;          // an event stream
  bool cut = false;               // the answer did not end as it should
  Duration total{};
  Duration upstream{};  // waiting for upstreams until the head of the answer
  Duration overhead{};  // ours, until the head of the answer
};

}  // namespace akr
