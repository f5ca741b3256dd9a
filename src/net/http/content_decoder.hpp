// content_decoder.hpp - undoes a message's Content-Encoding (RFC 9110 section 8.4), bounded in memory and in what it
// makes of its input.
//
// gzip (RFC 1952, several members too), deflate (RFC 1950, and the bare RFC 1951 that some servers send), br (RFC 7932)
// and zstd (RFC 8878, windows up to 8 MiB as for HTTP).  No I/O; one thread per object.  Bytes behind the end of the
// encoded data are an error, never ignored.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http/http1.hpp"

namespace akr::net {

enum class ContentCoding : std::uint8_t { kGzip, kDeflate, kBrotli, kZstd };

// In the order in which they were applied.  Not known: one of them is none of ours, or there are more than three.
struct ContentCodings {
  static constexpr std::size_t kMost = 3;
  std::array<ContentCoding, kMost> all = {};
  std::size_t count = 0;
  bool known = true;

  bool none() const { return known && count == 0; }  // "identity" counts as none
};
// Of all lines of the field: its first one may be empty, and another one name a coding.
ContentCodings content_codings(const MessageHead& head);
ContentCodings content_codings(std::string_view value);

// One coding, piece by piece.
class ContentDecoder {
 public:
  enum class Status : std::uint8_t {
    kMore,   // all input is used up
    kFull,   // `out` is full; call again
    kEnd,    // complete; what is left of the input does not belong to it
    kError,  // not this coding, or damaged
  };
  virtual ~ContentDecoder() = default;
  // Takes bytes from the front of `input` and writes up to `size` decoded ones to `out`; `written` says how many.
  virtual Status next(std::string_view& input, char* out, std::size_t size, std::size_t& written) = 0;
};
std::unique_ptr<ContentDecoder> make_content_decoder(ContentCoding coding);

enum class DecodedEnd : std::uint8_t {
  kWhole,
  kCut,       // the input ended too early
  kTooLarge,  // more than `most` bytes come out
  kBroken,    // damaged, or a coding that we do not know
};
struct DecodedBody {
  std::string text;  // whatever the end, what came out until then
  DecodedEnd end = DecodedEnd::kWhole;
};
// A body, or the beginning of one, without its codings; at most `most` bytes of it.
DecodedBody decode_content(const ContentCodings& codings, std::string_view body, std::size_t most);

}  // namespace akr::net
