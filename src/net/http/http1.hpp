// http1.hpp - HTTP/1.1 message heads, parsed strictly and without allocation (RFC 9110, RFC 9112).
//
// One parser for both directions: the upstream is as hostile as the client.  What two readers could frame
// differently is an error here, never a guess: bare CR or LF, obs-fold, white space before ':', repeated or signed
// Content-Length, any Transfer-Encoding but a single "chunked", both together, a second Host.
// Views point into the caller's buffer, which must not move while the head is used.  Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace akr::net {

constexpr std::size_t kMaxHeadBytes = 65'535;  // 64 KiB; offsets are 16 bit
constexpr std::size_t kMaxFields = 128;

// Fields that somebody treats specially; found while parsing, so that later steps compare a byte, not text.
enum class FieldId : std::uint8_t {
  kOther,
  // Framing and hop-by-hop (RFC 9110 section 7.6.1).
  kConnection,
  kContentLength,
  kHost,
  kKeepAlive,
  kProxyConnection,
  kTe,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kExpect,
  // Credentials and identity of the client (behaviour.md D08); kProxyOther is any other Proxy-*, and so on.
  kApiKey,
  kAuthorization,
  kCookie,
  kForwarded,
  kXApiKey,
  kXAnthropicApiKey,
  kXGoogApiKey,
  kXProxyKey,
  kXRealIp,
  kProxyOther,
  kXForwardedOther,
  kCfOther,
  // What a browser says about the page that asks, and about its websocket; kSecFetchOther is any Sec-Fetch-*, and so
  // on.
  kOrigin,
  kReferer,
  kSecFetchOther,
  kAccessControlOther,
  kSecWebSocketProtocol,
  // Others we read or write.
  kAcceptEncoding,
  kContentEncoding,
  kContentType,
  kDate,
  kRetryAfter,
  kSetCookie,
  kUserAgent,
  kXRequestId,
  kXRotatorOther,
  kAccountOther,  // the last one
};
static_assert(static_cast<unsigned>(FieldId::kAccountOther) < 64, "MessageHead keeps a bit per kind");

struct Field {
  std::string_view name;
  std::string_view value;
  FieldId id;
};

enum class BodyKind : std::uint8_t { kNone, kLength, kChunked, kUntilClose };

// Why a head was refused; what the request side answers with it is http_status().
enum class HeadError : std::uint8_t {
  kNone,
  kSyntax,       // 400
  kVersion,      // 505
  kHost,         // 400
  kFraming,      // 400
  kTooLarge,     // 431
  kExpectation,  // 417
  kCrowded,      // 503: no memory for strangers is left; said by the connection, never by the parser
};
int http_status(HeadError error);
std::string_view describe(HeadError error);  // a sentence for the client

enum class ParseStatus : std::uint8_t { kDone, kNeedMore, kError };

class MessageHead {
 public:
  // `buffer` starts at the first byte of the message.  kDone: size() bytes belong to the head.
  ParseStatus parse_request(std::string_view buffer);
  // `to_head_request`: the answer to a HEAD has no body whatever its fields say.
  ParseStatus parse_response(std::string_view buffer, bool to_head_request);

  HeadError error() const { return error_; }
  std::size_t size() const { return size_; }

  std::string_view method() const { return view(method_); }
  std::string_view target() const { return view(target_); }  // origin form ("/a?b"), also for absolute-form requests
  std::string_view host() const { return view(host_); }
  int status() const { return status_; }
  std::string_view reason() const { return view(reason_); }
  int minor_version() const { return minor_version_; }

  std::size_t field_count() const { return field_count_; }
  Field field(std::size_t index) const {
    const FieldRef& ref = fields_[index];
    return {view(ref.name), view(ref.value), ref.id};
  }
  // Only what tells fields apart: less to read than a Field.
  FieldId id_of(std::size_t index) const { return fields_[index].id; }
  std::size_t name_length(std::size_t index) const { return fields_[index].name.length; }
  bool has(FieldId id) const { return (kinds_ >> static_cast<unsigned>(id) & 1) != 0; }
  // First field of that kind / that name (compared without case); "" if absent.
  std::string_view find(FieldId id) const { return has(id) ? find_first(id) : std::string_view(); }
  std::string_view find(std::string_view name) const;
  // Does Connection list names of fields, and is this one of them, so that this hop must drop it (RFC 9110 section
  // 7.6.1)?
  bool nominates() const { return nominates_; }
  bool nominated(std::size_t index) const { return (nominated_[index / 64] >> (index % 64) & 1) != 0; }
  // The field's bytes if they are exactly "Name: value" CRLF, so that they can be copied as they are; else "".
  std::string_view canonical_line(std::size_t index) const {
    const FieldRef& ref = fields_[index];
    const std::size_t name_end = std::size_t{ref.name.at} + ref.name.length;
    const std::size_t value_end = std::size_t{ref.value.at} + ref.value.length;
    const bool canonical = ref.value.at == name_end + 2 && base_[name_end + 1] == ' ' && base_[value_end] == '\r';
    return canonical ? std::string_view(base_ + ref.name.at, value_end + 2 - ref.name.at) : std::string_view();
  }

  BodyKind body_kind() const { return body_kind_; }
  std::uint64_t content_length() const { return content_length_; }
  bool keep_alive() const { return keep_alive_; }
  bool expect_continue() const { return expect_continue_; }
  bool upgrade_websocket() const { return upgrade_websocket_; }

  // The views move with the bytes: call when the buffer was copied elsewhere.
  void rebase(const char* base) { base_ = base; }

 private:
  struct Range {
    std::uint16_t at = 0;
    std::uint16_t length = 0;
  };
  struct FieldRef {
    Range name;
    Range value;
    FieldId id = FieldId::kOther;
  };

  std::string_view find_first(FieldId id) const;
  std::string_view view(Range range) const { return {base_ + range.at, range.length}; }
  void reset(std::string_view buffer);
  ParseStatus fail(HeadError error);
  bool refuse(HeadError error);
  ParseStatus parse_request_line(std::string_view buffer, std::size_t& at);
  ParseStatus parse_target(std::string_view buffer, std::size_t& at);
  ParseStatus parse_status_line(std::string_view buffer, std::size_t& at);
  ParseStatus parse_fields(std::string_view buffer, std::size_t& at);
  ParseStatus parse_field(std::string_view buffer, std::size_t& at);
  bool note_field(FieldRef& ref);
  bool note_content_length(std::string_view value);
  void note_connection(std::string_view value);
  void mark_nominated();
  void nominate(std::size_t index) { nominated_[index / 64] |= std::uint64_t{1} << (index % 64); }
  ParseStatus finish_request();
  ParseStatus finish_response(bool to_head_request);

  const char* base_ = nullptr;
  std::size_t size_ = 0;
  Range method_, target_, host_, reason_;
  int status_ = 0;
  int minor_version_ = 1;
  std::uint64_t content_length_ = 0;
  std::array<std::uint64_t, kMaxFields / 64> nominated_ = {};  // a bit per field
  std::uint64_t kinds_ = 0;                                    // a bit per FieldId
  std::uint16_t field_count_ = 0;
  bool nominates_ = false;
  std::uint8_t hosts_ = 0;
  bool has_length_ = false;
  bool has_coding_ = false;
  bool says_close_ = false;
  bool says_keep_alive_ = false;
  bool says_upgrade_ = false;
  bool wants_websocket_ = false;
  bool expects_ = false;
  bool keep_alive_ = false;
  bool expect_continue_ = false;
  bool upgrade_websocket_ = false;
  BodyKind body_kind_ = BodyKind::kNone;
  HeadError error_ = HeadError::kNone;
  std::array<FieldRef, kMaxFields> fields_;  // only the first field_count_ are ever initialised
};

// A name of a field that a request or response may carry: an RFC 9110 token.
bool is_token(std::string_view text);
FieldId identify_field(std::string_view name);

}  // namespace akr::net
