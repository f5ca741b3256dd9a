// compress.hpp - bodies as an upstream sends them with a Content-Encoding.
#pragma once

#include <string>
#include <string_view>

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

namespace akr::test {

inline std::string with_zlib(std::string_view text, int window_bits) {
  z_stream stream = {};
  ::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(::deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // NOLINT: it is only read
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ::deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  ::deflateEnd(&stream);
  return out;
}

inline std::string gzip(std::string_view text) { return with_zlib(text, 16 + MAX_WBITS); }
inline std::string zlib_deflate(std::string_view text) { return with_zlib(text, MAX_WBITS); }
inline std::string raw_deflate(std::string_view text) { return with_zlib(text, -MAX_WBITS); }

inline std::string brotli(std::string_view text) {
  std::size_t size = ::BrotliEncoderMaxCompressedSize(text.size()) + 64;
  std::string out(size, '\0');
  ::BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, text.size(),
                          reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                          reinterpret_cast<std::uint8_t*>(out.data()));
  out.resize(size);
  return out;
}

inline std::string zstd(std::string_view text) {
  std::string out(::ZSTD_compressBound(text.size()), '\0');
  out.resize(::ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

}  // namespace akr::test
