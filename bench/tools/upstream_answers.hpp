// What the fake provider says: fixed bytes, built once, so that answering costs one send.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace akr::bench {

// A chat completion: realistic headers and an 870-byte JSON body with its Content-Length.
const std::string& json_answer();

// The head of an event stream with chunked framing.
std::string_view stream_head();

// One chunk holding one server-sent event of about 120 bytes, whose text begins with `now_ns` in kStampDigits digits:
// whoever reads it on the same machine knows how long it took.
std::string stream_chunk(std::int64_t now_ns);
inline constexpr std::string_view kBeforeStamp = "\"content\":\"";
inline constexpr std::size_t kStampDigits = 19;

// The empty chunk that ends a stream.
std::string_view stream_end();

// The head of a download of `bytes` bytes.
std::string bulk_head(std::uint64_t bytes);

// The bytes of every download, sent over and over.
std::string_view bulk_block();

// For requests without a known length, which the fake provider does not read.
std::string_view length_required_answer();

}  // namespace akr::bench
