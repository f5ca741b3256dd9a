// chunked.hpp - the chunked transfer coding, decoded in place and strictly (RFC 9112 section 7.1).
//
// Grammar:  *( size [ext] CRLF data CRLF )  "0" [ext] CRLF  *( field CRLF )  CRLF
// Refused: sizes that are not 1..15 hex digits, white space around them, bare CR or LF anywhere, control characters or
// more than 256 bytes in an extension, trailers over 8 KiB, trailers that would be framing, routing or credentials.
// Trailers are checked and dropped: an intermediary may (RFC 9110 section 6.5.1), and they must never become fields.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/http1.hpp"

namespace akr::net {

class ChunkedDecoder {
 public:
  enum class Event : std::uint8_t {
    kData,      // `data` is the next run of payload bytes, inside the input
    kNeedMore,  // the input is used up
    kEnd,       // the body is complete; what is left of the input belongs to the next message
    kError,
  };

  // Takes bytes from the front of `input` until it has something to say.
  Event next(std::string_view& input, std::string_view& data);
  bool finished() const { return state_ == State::kDone; }
  // The next byte is the first of a size line.
  bool between_chunks() const { return state_ == State::kSize && digits_ == 0; }

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
  bool step(char c);  // one byte of framing; false = error
  bool step_size(char c);
  bool end_of_size_line();
  bool step_trailer(char c);

  State state_ = State::kSize;
  std::uint8_t digits_ = 0;
  std::uint16_t extension_ = 0;
  std::uint16_t trailer_bytes_ = 0;
  std::uint8_t name_length_ = 0;
  bool in_value_ = false;
  std::uint64_t left_ = 0;
  char name_[32] = {};  // of the trailer being read; longer names are no one's
};

}  // namespace akr::net
