// What the fields of a head mean for its message: how long the body is, whether the connection stays, and which fields
// are for this hop alone.
#include <algorithm>
#include <array>

#include "base/strings.hpp"
#include "net/http/http1.hpp"
#include "net/http/http1_scan.hpp"

namespace akr::net {
namespace {

constexpr std::string_view kLength = "content-length", kCoding = "transfer-encoding";

// Names that some servers read as another name: never let them pass beside the real one.  Out of line, so that the way
// of all other fields stays short.
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

// An order of names without case; length first, which is all that most comparisons need.
bool before(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size();
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return ascii_lower(x) < ascii_lower(y); });
}

}  // namespace

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
  if (hosts_ == 1 && !scan::valid_host(host())) return fail(HeadError::kHost);
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

}  // namespace akr::net
