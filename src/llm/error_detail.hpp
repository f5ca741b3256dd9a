// error_detail.hpp - an error in words that no provider owns: what a dialect's parse_error() finds and build_error()
// is given.  Plain values.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/failure.hpp"

namespace akr {

struct HeaderView {
  std::string_view name;  // any letter case
  std::string_view value;
};

// A provider's answer to be understood.  `now` turns dates into durations.
struct ErrorAnswer {
  int status = 0;
  std::span<const HeaderView> headers = {};
  std::string_view body = {};  // decoded; may be cut off or not JSON at all; the first 64 KiB are looked at
  WallTime now{};
};

struct ErrorDetail {
  int status = 0;  // parse: of the answer, or the one the body means when it came with a 200
  FailureKind kind = FailureKind::kUnknown;
  std::string_view code = {};  // static storage.  parse: the provider's own code if we know it, else "".  build: ours
  std::string message = {};    // parse: the provider's text, at most 2 KiB, not redacted.  build: one sentence
  std::optional<Duration> retry_after = std::nullopt;  // parse: the hint, unclamped.  build: for Gemini's RetryInfo
  WaitSource retry_from = WaitSource::kProvider;       // parse: whose retry_after is
  std::string_view request_id = {};                    // build only; "" = left out
};

}  // namespace akr
