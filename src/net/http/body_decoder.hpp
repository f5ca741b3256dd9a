// body_decoder.hpp - the body of a message out of its bytes, whatever frames it (RFC 9112 section 6).
#pragma once

#include <cstdint>
#include <string_view>

#include "net/http/chunked.hpp"
#include "net/http/http1.hpp"

namespace akr::net {

class BodyDecoder {
 public:
  using Event = ChunkedDecoder::Event;

  void start(const MessageHead& head);
  // Takes bytes from the front of `input`; kData: `data` is the next run of the body, inside the input.  kEnd: the body
  // is complete; what is left of the input is not part of it.
  Event next(std::string_view& input, std::string_view& data);
  // The stream ended cleanly.  True if that completes the body; false: it was cut.
  bool end_of_stream();
  bool finished() const { return finished_; }
  // Of a chunked body: the next byte is the first of a size line.
  bool between_chunks() const { return kind_ == BodyKind::kChunked && !finished_ && chunks_.between_chunks(); }
  // For bodies of known length whose bytes do not pass through next(): how many are left, and that some went by.
  std::uint64_t length_left() const { return kind_ == BodyKind::kLength ? left_ : 0; }
  void skip(std::uint64_t bytes);

 private:
  ChunkedDecoder chunks_;
  std::uint64_t left_ = 0;
  BodyKind kind_ = BodyKind::kNone;
  bool finished_ = true;
};

}  // namespace akr::net
