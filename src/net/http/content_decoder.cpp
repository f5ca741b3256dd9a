#include "net/http/content_decoder.hpp"

#include <algorithm>

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include "base/strings.hpp"

namespace akr::net {
namespace {

constexpr std::size_t kWindow = 16 * 1024;

class ZlibDecoder final : public ContentDecoder {
 public:
  explicit ZlibDecoder(ContentCoding coding) : gzip_(coding == ContentCoding::kGzip) {
    ready_ = ::inflateInit2(&stream_, gzip_ ? 16 + MAX_WBITS : MAX_WBITS) == Z_OK;
  }
  ZlibDecoder(const ZlibDecoder&) = delete;
  ZlibDecoder& operator=(const ZlibDecoder&) = delete;
  ~ZlibDecoder() override { ::inflateEnd(&stream_); }

  Status next(std::string_view& input, char* out, std::size_t size, std::size_t& written) override {
    written = 0;
    if (!ready_) return Status::kError;
    if (ended_ && input.empty()) return Status::kEnd;
    // Another member follows (RFC 1952 section 2.2); anything else is the caller's.
    if (ended_ && (!gzip_ || input.front() != '\x1f' || ::inflateReset(&stream_) != Z_OK)) return Status::kEnd;
    ended_ = false;
    if (!begun_ && !begin(input)) return Status::kMore;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));  // NOLINT: zlib does not write to it
    stream_.avail_in = static_cast<uInt>(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(size);
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    input.remove_prefix(input.size() - stream_.avail_in);
    written = size - stream_.avail_out;
    ended_ = result == Z_STREAM_END;
    if (ended_) return input.empty() || !gzip_ ? Status::kEnd : Status::kFull;
    if (result != Z_OK && result != Z_BUF_ERROR) return Status::kError;
    return stream_.avail_out == 0 ? Status::kFull : Status::kMore;
  }

 private:
  // "deflate" is the zlib format; what does not look like it is taken for bare deflate data.  False: nothing came yet.
  bool begin(std::string_view input) {
    if (input.empty()) return false;
    begun_ = true;
    const bool wrapped = (static_cast<unsigned char>(input.front()) & 0x0f) == Z_DEFLATED;
    if (!gzip_ && !wrapped) ready_ = ::inflateReset2(&stream_, -MAX_WBITS) == Z_OK;
    return true;
  }

  z_stream stream_ = {};
  const bool gzip_;
  bool ready_;
  bool begun_ = false;
  bool ended_ = false;
};

class BrotliDecoder final : public ContentDecoder {
 public:
  BrotliDecoder() : state_(::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {}
  BrotliDecoder(const BrotliDecoder&) = delete;
  BrotliDecoder& operator=(const BrotliDecoder&) = delete;
  ~BrotliDecoder() override { ::BrotliDecoderDestroyInstance(state_); }

  Status next(std::string_view& input, char* out, std::size_t size, std::size_t& written) override {
    written = 0;
    if (state_ == nullptr) return Status::kError;
    std::size_t in_left = input.size();
    std::size_t out_left = size;
    const auto* in = reinterpret_cast<const std::uint8_t*>(input.data());
    auto* to = reinterpret_cast<std::uint8_t*>(out);
    const auto result = ::BrotliDecoderDecompressStream(state_, &in_left, &in, &out_left, &to, nullptr);
    input.remove_prefix(input.size() - in_left);
    written = size - out_left;
    switch (result) {
      case BROTLI_DECODER_RESULT_SUCCESS:
        return Status::kEnd;
      case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
        return Status::kMore;
      case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
        return Status::kFull;
      case BROTLI_DECODER_RESULT_ERROR:
        break;
    }
    return Status::kError;
  }

 private:
  BrotliDecoderState* const state_;
};

class ZstdDecoder final : public ContentDecoder {
 public:
  ZstdDecoder() : stream_(::ZSTD_createDStream()) {
    constexpr int kLargestWindow = 23;  // 8 MiB: RFC 9659
    if (stream_ != nullptr) ::ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kLargestWindow);
  }
  ZstdDecoder(const ZstdDecoder&) = delete;
  ZstdDecoder& operator=(const ZstdDecoder&) = delete;
  ~ZstdDecoder() override { ::ZSTD_freeDStream(stream_); }

  Status next(std::string_view& input, char* out, std::size_t size, std::size_t& written) override {
    written = 0;
    if (stream_ == nullptr) return Status::kError;
    if (ended_ && input.empty()) return Status::kEnd;
    ZSTD_inBuffer in = {input.data(), input.size(), 0};
    ZSTD_outBuffer to = {out, size, 0};
    const std::size_t result = ::ZSTD_decompressStream(stream_, &to, &in);
    input.remove_prefix(in.pos);
    written = to.pos;
    if (::ZSTD_isError(result) != 0) return Status::kError;
    ended_ = result == 0;  // frames may follow one another
    if (ended_ && input.empty()) return Status::kEnd;
    return to.pos == size || ended_ ? Status::kFull : Status::kMore;
  }

 private:
  ZSTD_DStream* const stream_;
  bool ended_ = false;
};

DecodedBody decode_one(ContentCoding coding, std::string_view body, std::size_t most) {
  const auto decoder = make_content_decoder(coding);
  DecodedBody decoded;
  std::array<char, kWindow> window;
  for (;;) {
    std::size_t written = 0;
    const auto status = decoder->next(body, window.data(), window.size(), written);
    decoded.text.append(window.data(), std::min(written, most - decoded.text.size()));
    if (decoded.text.size() == most && (written > 0 || most == 0) && status != ContentDecoder::Status::kEnd) {
      // One byte more tells whether that was all.
      std::size_t more = 0;
      const auto last = decoder->next(body, window.data(), 1, more);
      decoded.end = last == ContentDecoder::Status::kEnd && more == 0 && body.empty() ? DecodedEnd::kWhole
                                                                                      : DecodedEnd::kTooLarge;
      return decoded;
    }
    switch (status) {
      case ContentDecoder::Status::kFull:
        continue;
      case ContentDecoder::Status::kMore:
        decoded.end = DecodedEnd::kCut;
        return decoded;
      case ContentDecoder::Status::kEnd:
        decoded.end = body.empty() ? DecodedEnd::kWhole : DecodedEnd::kBroken;
        return decoded;
      case ContentDecoder::Status::kError:
        decoded.end = DecodedEnd::kBroken;
        return decoded;
    }
  }
}

std::optional<ContentCoding> coding_named(std::string_view name) {
  constexpr std::pair<std::string_view, ContentCoding> kNames[] = {{"gzip", ContentCoding::kGzip},
                                                                   {"x-gzip", ContentCoding::kGzip},
                                                                   {"br", ContentCoding::kBrotli},
                                                                   {"deflate", ContentCoding::kDeflate},
                                                                   {"zstd", ContentCoding::kZstd}};
  for (const auto& [known, coding] : kNames) {
    if (iequals(name, known)) return coding;
  }
  return std::nullopt;
}

void add_codings(std::string_view value, ContentCodings& codings) {
  for (std::string_view name : split(value, ',')) {
    name = trim(name);
    if (name.empty() || iequals(name, "identity")) continue;
    const auto coding = coding_named(name);
    codings.known = codings.known && coding && codings.count < ContentCodings::kMost;
    if (!codings.known) return;
    codings.all[codings.count++] = *coding;
  }
}

}  // namespace

ContentCodings content_codings(const MessageHead& head) {
  ContentCodings codings;
  if (!head.has(FieldId::kContentEncoding)) return codings;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const Field field = head.field(i);
    if (field.id == FieldId::kContentEncoding) add_codings(field.value, codings);
  }
  return codings;
}

ContentCodings content_codings(std::string_view value) {
  ContentCodings codings;
  add_codings(value, codings);
  return codings;
}

std::unique_ptr<ContentDecoder> make_content_decoder(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::kGzip:
    case ContentCoding::kDeflate:
      return std::make_unique<ZlibDecoder>(coding);
    case ContentCoding::kBrotli:
      return std::make_unique<BrotliDecoder>();
    case ContentCoding::kZstd:
      return std::make_unique<ZstdDecoder>();
  }
  return nullptr;
}

DecodedBody decode_content(const ContentCodings& codings, std::string_view body, std::size_t most) {
  DecodedBody decoded{.text = {}, .end = codings.known ? DecodedEnd::kWhole : DecodedEnd::kBroken};
  if (!codings.known) return decoded;
  if (codings.none()) {
    decoded.text = body.substr(0, most);
    decoded.end = body.size() > most ? DecodedEnd::kTooLarge : DecodedEnd::kWhole;
    return decoded;
  }
  decoded.text = body;
  for (std::size_t i = codings.count; i-- > 0;) {
    DecodedBody inner = decode_one(codings.all[i], decoded.text, most);
    // The first thing that went wrong is the reason.
    if (decoded.end != DecodedEnd::kWhole) inner.end = decoded.end;
    decoded = std::move(inner);
  }
  return decoded;
}

}  // namespace akr::net
