// usage_tap.hpp - reads from an answer that passes by how many tokens it cost.  Neither delays nor changes a byte.
//
// Only made for keys with a tpm.  Remembers at most 64 KiB: of a stream the line that is not complete yet, of a JSON
// body its end, where all providers write their usage.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "llm/format.hpp"
#include "net/http/http1.hpp"
#include "proxy/answer/body_tap.hpp"

namespace akr {

class UsageTap final : public BodyTap {
 public:
  UsageTap(const Format& format, bool is_stream) : format_(format), is_stream_(is_stream) {}

  void take(std::string_view data) override;
  bool done() const override { return false; }  // usage comes last
  // The body is over, or cut.  nullopt: it did not say.
  std::optional<std::uint64_t> total();

 private:
  void feed_line(std::string_view text);
  void read_line(std::string_view line);

  const Format& format_;
  const bool is_stream_;
  bool cut_ = false;  // stream: the line is too long to be looked at; JSON: the beginning is gone
  std::string text_;
  TokenUsage usage_;
};

// nullptr: the answer cannot be read (no LLM format, not good, compressed, neither JSON nor an event stream).
std::unique_ptr<UsageTap> make_usage_tap(const Format* format, const net::MessageHead& answer);

// The object behind the last member "usage" or "usageMetadata" of a JSON text whose beginning is missing, with its
// name:
// "\"usage\":{...}"; "" if there is none.  Inside of strings quotes are escaped, so no text can look like one.  One
// walk over the text, whatever it holds.
std::string_view last_usage_member(std::string_view json);

}  // namespace akr
