// chunked.hpp - the chunked transfer coding, decoded in place and strictly (RFC 9112 section 7.1).
//
// Grammar:  *( size [ext] CRLF data CRLF )  "0" [ext] CRLF  *( field CRLF )  CRLF
// Refused: sizes that are not 1..15 hex digits, white space around them, bare CR or LF anywhere, control characters or
// more than 256 bytes in an extension, trailers over 8 KiB, trailers that would be framing, routing or credentials; and
// framing out of proportion (framing_too_heavy()): what is not data must be paid for by data.
// Trailers are checked and dropped: an intermediary may (RFC 9110 section 6.5.1), and they must never become fields.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/http/http1.hpp"

namespace akr::net {

// Framing is everything that is not data.  A client that sends byte by byte has 5 bytes of it per byte of data.
struct FramingLimits {
  static constexpr std::uint64_t kFree = 64 * 1024;
  std::uint64_t per_byte = 16;  // bytes of framing per byte of data; extensions alone: 1
};

class ChunkedDecoder {
 public:
  enum class Event : std::uint8_t {
    kData,      // `data` is the next run of payload bytes, inside the input
    kNeedMore,  // the input is used up
    kEnd,       // the body is complete; what is left of the input belongs to the next message
    kError,
  };

  explicit ChunkedDecoder(FramingLimits limits = {}) : limits_(limits) {}
  // Takes bytes from the front of `input` until it has something to say.
  Event next(std::string_view& input, std::string_view& data);
  bool finished() const { return state_ == State::kDone; }
  // The next byte is the first of a size line.
  bool between_chunks() const { return state_ == State::kSize && digits_ == 0; }
  // Why kError: more framing, or longer extensions, than the data pays for.
  bool framing_too_heavy() const { return too_heavy_; }
  std::uint64_t framing() const { return framing_; }  // bytes so far

 private:
  enum class State : std::uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailerLine,
    kTrailerLf,
    kEndLf,
    kDone,
    kBad
  };
  // Data that follows a size line without frills, all of it in the input: the usual case, in one go.
  bool plain_chunk(std::string_view& input, std::string_view& data);
  Event take_data(std::string_view& input, std::string_view& data);
  void take_extension(std::string_view& input);
  bool step(char c);  // one byte of framing; false = error
  bool step_size(char c);
  bool end_of_size_line();
  bool step_trailer(char c);
  bool in_proportion();
  bool pays_for(std::uint64_t framing, std::uint64_t data) const;

  State state_ = State::kSize;
  std::uint8_t digits_ = 0;
  std::uint16_t extension_ = 0;
  std::uint16_t trailer_bytes_ = 0;
  std::uint8_t name_length_ = 0;
  bool in_value_ = false;
  bool too_heavy_ = false;
  std::uint64_t left_ = 0;
  std::uint64_t data_ = 0;
  std::uint64_t framing_ = 0;
  std::uint64_t extensions_ = 0;
  FramingLimits limits_;
  char name_[32] = {};  // of the trailer being read; longer names are no one's
};

}  // namespace akr::net
