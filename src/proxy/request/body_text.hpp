// body_text.hpp - a kept request body from its first byte to its last, without its content codings, piece by piece:
// what is in memory, then what is in the file.  One request, one worker.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/http/content_decoder.hpp"
#include "proxy/request/prepare.hpp"

namespace akr {

class BodyText {
 public:
  // Each coding may give `most` bytes, and 4 MiB + 256 times what came.  The body is rewound; whoever sends it rewinds
  // it again.
  BodyText(const net::MessageHead& head, PreparedRequest& request, std::uint64_t most);

  enum class Next : std::uint8_t {
    kPiece,
    kEnd,
    kUnreadable,  // a coding that nobody knows, damaged or cut, or a file that cannot be read
    kTooLong,     // too much comes out
  };
  // `piece` is valid until the next call, and at most 64 KiB; "" where that much of the body holds nothing.
  Next next(std::string_view& piece);

 private:
  struct Stage {
    std::unique_ptr<net::ContentDecoder> decoder;
    std::string out;
    std::string_view left;     // of what the stage before gave
    bool source_over = false;  // and there is no more of that
    std::uint64_t room = 0;    // for what is still to come out
  };
  Next read(std::string_view& piece);
  Next pull(std::size_t stage, std::string_view& piece);

  RequestBody& body_;
  std::string_view waiting_;  // of a run that is longer than a piece
  std::array<Stage, net::ContentCodings::kMost> stages_;
  std::size_t count_ = 0;
  bool known_ = true;
};

}  // namespace akr
