#include "net/http/http1.hpp"

#include <algorithm>
#include <cstring>

#include "base/strings.hpp"
#include "net/http/http1_scan.hpp"

namespace akr::net {

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
    if (!scan::valid_host(target.substr(scheme, slash - scheme))) return fail(HeadError::kHost);
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
