#include "net/http/http1.hpp"

#include <algorithm>
#include <cstring>

#include "base/strings.hpp"
#include "net/http/http1_scan.hpp"

namespace akr::net {
namespace {

// Names that some servers read as another name: never let them pass beside the real one.
constexpr std::string_view kLength = "content-length", kCoding = "transfer-encoding";

[[gnu::noinline]] bool is_look_alike_of_their_size(std::string_view name) {
  if (name.find('_') == std::string_view::npos) return false;
  std::string plain(name);
  std::replace(plain.begin(), plain.end(), '_', '-');
  return iequals(plain, kLength) || iequals(plain, kCoding);
}

// For every unknown field: its length nearly always tells it apart.
bool is_look_alike(std::string_view name) {
  return (name.size() == kLength.size() || name.size() == kCoding.size()) && is_look_alike_of_their_size(name);
}

bool valid_host(std::string_view host) {
  if (host.empty() || host.size() > 255 + 6) return false;
  if (host.front() == '[') {
    const auto end = host.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    for (char c : host.substr(1, end - 1)) {
      if (!scan::is_hex(c) && c != ':' && c != '.') return false;
    }
    host.remove_prefix(end + 1);
    if (host.empty()) return true;
    if (host.front() != ':') return false;
    return host.size() == 1 || parse_u64(host.substr(1)).value_or(65536) <= 65535;
  }
  const auto colon = host.find(':');
  if (colon == 0) return false;
  for (char c : host.substr(0, colon)) {
    if (!scan::is_host_char(c)) return false;
  }
  if (colon == std::string_view::npos || colon + 1 == host.size()) return true;
  return parse_u64(host.substr(colon + 1)).value_or(65536) <= 65535;
}

// An order of names without case; length first, which is all that most comparisons need.
bool before(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size();
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return ascii_lower(x) < ascii_lower(y); });
}

}  // namespace

int http_status(HeadError error) {
  switch (error) {
    case HeadError::kNone:
      return 200;
    case HeadError::kSyntax:
    case HeadError::kHost:
    case HeadError::kFraming:
      return 400;
    case HeadError::kVersion:
      return 505;
    case HeadError::kTooLarge:
      return 431;
    case HeadError::kExpectation:
      return 417;
    case HeadError::kCrowded:
      return 503;
  }
  return 400;
}

std::string_view describe(HeadError error) {
  switch (error) {
    case HeadError::kNone:
      return "";
    case HeadError::kSyntax:
      return "the request is not valid HTTP/1.1";
    case HeadError::kHost:
      return "a request needs exactly one valid Host field";
    case HeadError::kFraming:
      return "the length of the body is ambiguous: one Content-Length, or one 'Transfer-Encoding: chunked'";
    case HeadError::kVersion:
      return "only HTTP/1.1 and HTTP/1.0 are spoken here";
    case HeadError::kTooLarge:
      return "the request head is over 64 KiB or 128 fields";
    case HeadError::kExpectation:
      return "the only expectation known here is 100-continue";
    case HeadError::kCrowded:
      return "requests of unknown clients use all the memory they may have (UNAUTHENTICATED_MEMORY); try again soon";
  }
  return "";
}

void MessageHead::reset(std::string_view buffer) {
  // Everything but the field array, whose unused part is never read.
  std::memset(static_cast<void*>(this), 0, offsetof(MessageHead, fields_));
  base_ = buffer.data();
}

ParseStatus MessageHead::fail(HeadError error) {
  error_ = error;
  return ParseStatus::kError;
}

bool MessageHead::refuse(HeadError error) {
  error_ = error;
  return false;
}

ParseStatus MessageHead::parse_request(std::string_view buffer) {
  reset(buffer);
  std::size_t at = 0;
  ParseStatus status = parse_request_line(buffer, at);
  if (status == ParseStatus::kDone) status = parse_fields(buffer, at);
  if (status == ParseStatus::kNeedMore && buffer.size() >= kMaxHeadBytes) return fail(HeadError::kTooLarge);
  if (status != ParseStatus::kDone) return status;
  size_ = at;
  if (nominates_) mark_nominated();
  return finish_request();
}

ParseStatus MessageHead::parse_response(std::string_view buffer, bool to_head_request) {
  reset(buffer);
  std::size_t at = 0;
  ParseStatus status = parse_status_line(buffer, at);
  if (status == ParseStatus::kDone) status = parse_fields(buffer, at);
  if (status == ParseStatus::kNeedMore && buffer.size() >= kMaxHeadBytes) return fail(HeadError::kTooLarge);
  if (status != ParseStatus::kDone) return status;
  size_ = at;
  if (nominates_) mark_nominated();
  return finish_response(to_head_request);
}

// RFC 9112 section 3: method SP request-target SP HTTP-version CRLF, single spaces.
ParseStatus MessageHead::parse_request_line(std::string_view buffer, std::size_t& at) {
  // RFC 9112 section 2.2: an empty line before the request line may be ignored.
  for (int lines = 0; lines < 2 && at < buffer.size() && buffer[at] == '\r'; ++lines) {
    if (at + 1 == buffer.size()) return ParseStatus::kNeedMore;
    if (buffer[at + 1] != '\n') return fail(HeadError::kSyntax);
    at += 2;
  }
  const std::size_t method_at = at;
  at = scan::skip_token(buffer, at);
  if (at - method_at > 32) return fail(HeadError::kSyntax);
  if (at == buffer.size()) return ParseStatus::kNeedMore;
  if (at == method_at || buffer[at] != ' ') return fail(HeadError::kSyntax);
  method_ = {static_cast<std::uint16_t>(method_at), static_cast<std::uint16_t>(at - method_at)};
  ++at;
  const ParseStatus target = parse_target(buffer, at);
  if (target != ParseStatus::kDone) return target;
  constexpr std::size_t kTail = 10;  // "HTTP/1.1\r\n"
  const std::string_view tail = buffer.substr(at, kTail);
  constexpr std::string_view kVersion = "HTTP/1.1\r\n";
  if (tail.size() < kTail) {
    for (std::size_t i = 0; i < tail.size(); ++i) {
      if (tail[i] != kVersion[i] && i != 5 && i != 7) return fail(HeadError::kSyntax);
    }
    return ParseStatus::kNeedMore;
  }
  if (!tail.starts_with("HTTP/") || tail[6] != '.' || !tail.ends_with("\r\n")) return fail(HeadError::kSyntax);
  if (tail[5] != '1' || (tail[7] != '1' && tail[7] != '0')) {
    const bool digits = tail[5] >= '0' && tail[5] <= '9' && tail[7] >= '0' && tail[7] <= '9';
    return fail(digits ? HeadError::kVersion : HeadError::kSyntax);
  }
  minor_version_ = tail[7] - '0';
  at += kTail;
  return ParseStatus::kDone;
}

// Origin form, "*", or absolute form, whose scheme and authority are cut off (RFC 9112 section 3.2.2).
ParseStatus MessageHead::parse_target(std::string_view buffer, std::size_t& at) {
  const std::size_t begin = at;
  at = scan::skip_target(buffer, at);
  if (at > kMaxHeadBytes) return fail(HeadError::kTooLarge);
  if (at == buffer.size()) return ParseStatus::kNeedMore;
  if (at == begin || buffer[at] != ' ') return fail(HeadError::kSyntax);
  std::string_view target = buffer.substr(begin, at - begin);
  std::size_t path_at = begin;
  if (target.front() != '/' && target != "*") {
    const std::size_t scheme = istarts_with(target, "http://") ? 7 : istarts_with(target, "https://") ? 8 : 0;
    if (scheme == 0) return fail(HeadError::kSyntax);
    const auto slash = target.find_first_of("/?", scheme);
    if (slash == std::string_view::npos || target[slash] != '/') return fail(HeadError::kSyntax);
    if (!valid_host(target.substr(scheme, slash - scheme))) return fail(HeadError::kHost);
    path_at += slash;
  }
  target_ = {static_cast<std::uint16_t>(path_at), static_cast<std::uint16_t>(at - path_at)};
  ++at;
  return ParseStatus::kDone;
}

// RFC 9112 section 4: HTTP-version SP 3DIGIT SP [reason] CRLF; the SP before an empty reason may be missing in the
// wild.
ParseStatus MessageHead::parse_status_line(std::string_view buffer, std::size_t& at) {
  constexpr std::string_view kPrefix = "HTTP/1.";
  const std::string_view start = buffer.substr(0, kPrefix.size());
  if (start != kPrefix.substr(0, start.size())) return fail(HeadError::kSyntax);
  if (buffer.size() < 13) return ParseStatus::kNeedMore;
  if ((buffer[7] != '0' && buffer[7] != '1') || buffer[8] != ' ') return fail(HeadError::kSyntax);
  minor_version_ = buffer[7] - '0';
  for (std::size_t i = 9; i < 12; ++i) {
    if (buffer[i] < '0' || buffer[i] > '9') return fail(HeadError::kSyntax);
    status_ = status_ * 10 + (buffer[i] - '0');
  }
  if (status_ < 100 || status_ > 599) return fail(HeadError::kSyntax);
  at = 12;
  if (buffer[at] == ' ')
    ++at;
  else if (buffer[at] != '\r')
    return fail(HeadError::kSyntax);
  const std::size_t reason_at = at;
  at = scan::skip_field_value(buffer, at);
  if (at > kMaxHeadBytes) return fail(HeadError::kTooLarge);
  if (at + 1 >= buffer.size())
    return at < buffer.size() && buffer[at] != '\r' ? fail(HeadError::kSyntax) : ParseStatus::kNeedMore;
  if (buffer[at] != '\r' || buffer[at + 1] != '\n') return fail(HeadError::kSyntax);
  reason_ = {static_cast<std::uint16_t>(reason_at), static_cast<std::uint16_t>(at - reason_at)};
  at += 2;
  return ParseStatus::kDone;
}

ParseStatus MessageHead::parse_fields(std::string_view buffer, std::size_t& at) {
  for (;;) {
    if (at >= buffer.size()) return ParseStatus::kNeedMore;
    if (buffer[at] == '\r') {
      if (at + 1 == buffer.size()) return ParseStatus::kNeedMore;
      if (buffer[at + 1] != '\n') return fail(HeadError::kSyntax);
      at += 2;
      return at > kMaxHeadBytes ? fail(HeadError::kTooLarge) : ParseStatus::kDone;
    }
    const ParseStatus status = parse_field(buffer, at);
    if (status != ParseStatus::kDone) return status;
  }
}

// RFC 9112 section 5: field-name ":" OWS field-value OWS CRLF.  No space before ':', no folding.
ParseStatus MessageHead::parse_field(std::string_view buffer, std::size_t& at) {
  const std::size_t name_at = at;
  std::size_t end = scan::skip_token(buffer, at);
  if (end > kMaxHeadBytes) return fail(HeadError::kTooLarge);
  if (end == buffer.size()) return ParseStatus::kNeedMore;
  if (end == name_at || buffer[end] != ':') return fail(HeadError::kSyntax);
  const std::size_t name_length = end - name_at;
  std::size_t value_at = end + 1;
  while (value_at < buffer.size() && (buffer[value_at] == ' ' || buffer[value_at] == '\t')) ++value_at;
  end = scan::skip_field_value(buffer, value_at);
  if (end > kMaxHeadBytes) return fail(HeadError::kTooLarge);
  if (end == buffer.size()) return ParseStatus::kNeedMore;
  if (buffer[end] != '\r') return fail(HeadError::kSyntax);
  if (end + 1 == buffer.size()) return ParseStatus::kNeedMore;
  if (buffer[end + 1] != '\n') return fail(HeadError::kSyntax);
  at = end + 2;
  while (end > value_at && (buffer[end - 1] == ' ' || buffer[end - 1] == '\t')) --end;
  if (field_count_ == kMaxFields) return fail(HeadError::kTooLarge);
  FieldRef& ref = fields_[field_count_++];
  ref.name = {static_cast<std::uint16_t>(name_at), static_cast<std::uint16_t>(name_length)};
  ref.value = {static_cast<std::uint16_t>(value_at), static_cast<std::uint16_t>(end - value_at)};
  ref.id = identify_field(view(ref.name));
  return note_field(ref) ? ParseStatus::kDone : ParseStatus::kError;
}

// Collects what decides framing and connection while the field is at hand.
bool MessageHead::note_field(FieldRef& ref) {
  kinds_ |= std::uint64_t{1} << static_cast<unsigned>(ref.id);
  const std::string_view value = view(ref.value);
  switch (ref.id) {
    case FieldId::kContentLength:
      return note_content_length(value);
    case FieldId::kTransferEncoding:
      if (has_coding_ || !iequals(value, "chunked")) return refuse(HeadError::kFraming);
      has_coding_ = true;
      return true;
    case FieldId::kConnection:
      note_connection(value);
      return true;
    case FieldId::kHost:
      host_ = ref.value;
      if (hosts_ < 2) ++hosts_;
      return true;
    case FieldId::kUpgrade:
      wants_websocket_ = iequals(value, "websocket");
      return true;
    case FieldId::kExpect:
      expects_ = true;
      expect_continue_ = iequals(value, "100-continue");
      return true;
    case FieldId::kOther:
      return is_look_alike(view(ref.name)) ? refuse(HeadError::kFraming) : true;
    default:
      return true;
  }
}

bool MessageHead::note_content_length(std::string_view value) {
  // 19 digits cannot overflow; a larger body does not exist.
  if (has_length_ || value.empty() || value.size() > 18) return refuse(HeadError::kFraming);
  std::uint64_t length = 0;
  for (char c : value) {
    if (c < '0' || c > '9') return refuse(HeadError::kFraming);
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  content_length_ = length;
  has_length_ = true;
  return true;
}

void MessageHead::note_connection(std::string_view value) {
  while (!value.empty()) {
    const std::string_view option = trim(take_part(value, ','));
    if (iequals(option, "close")) {
      says_close_ = true;
    } else if (iequals(option, "keep-alive")) {
      says_keep_alive_ = true;
    } else if (iequals(option, "upgrade")) {
      says_upgrade_ = true;
    } else if (!option.empty()) {
      nominates_ = true;
    }
  }
}

// The fields are sorted by name, and each option is looked up among them: a head has room for 30,000 options.
void MessageHead::mark_nominated() {
  std::array<std::uint8_t, kMaxFields> order;  // NOLINT: filled before it is read
  const auto name_of = [this](std::uint8_t index) { return view(fields_[index].name); };
  const auto end = order.begin() + field_count_;
  for (std::size_t i = 0; i < field_count_; ++i) order[i] = static_cast<std::uint8_t>(i);
  std::sort(order.begin(), end, [&](std::uint8_t a, std::uint8_t b) { return before(name_of(a), name_of(b)); });
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (fields_[i].id != FieldId::kConnection) continue;
    std::string_view rest = view(fields_[i].value);
    while (!rest.empty()) {
      const std::string_view option = trim(take_part(rest, ','));
      const auto found = std::lower_bound(order.begin(), end, option, [&](std::uint8_t index, std::string_view wanted) {
        return before(name_of(index), wanted);
      });
      if (found != end && iequals(name_of(*found), option)) nominate(*found);
    }
  }
  // The first of several fields with one name was found: it speaks for all.
  for (auto at = order.begin(); at != end && at + 1 != end; ++at) {
    if (nominated(*at) && iequals(name_of(*at), name_of(at[1]))) nominate(at[1]);
  }
}

ParseStatus MessageHead::finish_request() {
  if (hosts_ > 1 || (hosts_ == 0 && minor_version_ == 1)) return fail(HeadError::kHost);
  if (hosts_ == 1 && !valid_host(host())) return fail(HeadError::kHost);
  if (has_coding_ && (has_length_ || minor_version_ == 0)) return fail(HeadError::kFraming);
  if (target() == "*" && method() != "OPTIONS") return fail(HeadError::kSyntax);
  if (expects_ && minor_version_ == 1 && !expect_continue_) return fail(HeadError::kExpectation);
  expect_continue_ = expect_continue_ && minor_version_ == 1;
  keep_alive_ = !says_close_ && (minor_version_ == 1 || says_keep_alive_);
  body_kind_ = has_coding_                          ? BodyKind::kChunked
               : has_length_ && content_length_ > 0 ? BodyKind::kLength
                                                    : BodyKind::kNone;
  upgrade_websocket_ = says_upgrade_ && wants_websocket_ && minor_version_ == 1 && method() == "GET";
  // Bytes after an upgrade request belong to the new protocol; a body there could be read as either.
  if (upgrade_websocket_ && (body_kind_ != BodyKind::kNone || has_length_)) return fail(HeadError::kFraming);
  return ParseStatus::kDone;
}

// RFC 9112 section 6.3.
ParseStatus MessageHead::finish_response(bool to_head_request) {
  if (has_coding_ && (has_length_ || minor_version_ == 0)) return fail(HeadError::kFraming);
  keep_alive_ = !says_close_ && (minor_version_ == 1 || says_keep_alive_);
  upgrade_websocket_ = status_ == 101 && says_upgrade_ && wants_websocket_;
  if (status_ < 200 || status_ == 204 || status_ == 304 || to_head_request) {
    body_kind_ = BodyKind::kNone;
  } else if (has_coding_) {
    body_kind_ = BodyKind::kChunked;
  } else if (has_length_) {
    body_kind_ = content_length_ > 0 ? BodyKind::kLength : BodyKind::kNone;
  } else {
    body_kind_ = BodyKind::kUntilClose;
    keep_alive_ = false;
  }
  return ParseStatus::kDone;
}

std::string_view MessageHead::find_first(FieldId id) const {
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (fields_[i].id == id) return view(fields_[i].value);
  }
  return {};
}

std::string_view MessageHead::find(std::string_view name) const {
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (fields_[i].name.length == name.size() && iequals(view(fields_[i].name), name)) return view(fields_[i].value);
  }
  return {};
}

}  // namespace akr::net
