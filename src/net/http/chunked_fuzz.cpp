// Any split of a chunked body gives the same payload, verdict and rest; whatever is accepted, written anew, decodes to
// the same payload.  The first byte chooses the split.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "net/http/chunked.hpp"

namespace {

using akr::net::ChunkedDecoder;
using Event = ChunkedDecoder::Event;

struct Decoded {
  std::string payload;
  std::size_t taken = 0;
  Event end = Event::kNeedMore;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

Decoded decode(std::string_view input, std::size_t step) {
  ChunkedDecoder decoder;
  Decoded result;
  while (result.taken < input.size()) {
    std::string_view piece = input.substr(result.taken, step);
    const std::size_t size = piece.size();
    do {
      std::string_view data;
      result.end = decoder.next(piece, data);
      if (result.end == Event::kData) result.payload += data;
    } while (result.end == Event::kData);
    result.taken += size - piece.size();
    if (result.end != Event::kNeedMore) break;
  }
  return result;
}

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "property broken: %s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const Decoded whole = decode(input, input.size() + 1);
  require(decode(input, 1) == whole, "byte by byte");
  require(decode(input, std::size_t{bytes[0]} + 1) == whole, "in pieces");
  if (whole.end != Event::kEnd) return 0;
  char line[32];
  std::snprintf(line, sizeof line, "%zx\r\n", whole.payload.size());
  const std::string chunk = whole.payload.empty() ? "" : line + whole.payload + "\r\n";
  const Decoded again = decode(chunk + "0\r\n\r\n", 7);
  require(again.end == Event::kEnd && again.payload == whole.payload, "written anew");
  return 0;
}
