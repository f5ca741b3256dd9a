#include "net/chunked.hpp"

#include "net/http1_scan.hpp"

namespace akr::net {
namespace {

constexpr std::uint16_t kMaxExtension = 256;
constexpr std::uint16_t kMaxTrailers = 8192;

unsigned hex_value(char c) {
  return c <= '9' ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a' + 10);
}

// RFC 9110 section 6.5.1: fields that frame, route or authenticate must not be sent as trailers.
bool forbidden_trailer(FieldId id) {
  switch (id) {
    case FieldId::kOther:
    case FieldId::kDate:
    case FieldId::kXRequestId:
    case FieldId::kXRotatorOther:
      return false;
    default:
      return true;
  }
}

}  // namespace

ChunkedDecoder::Event ChunkedDecoder::next(std::string_view& input, std::string_view& data) {
  while (!input.empty()) {
    if (state_ == State::kData) {
      const std::size_t take = left_ < input.size() ? static_cast<std::size_t>(left_) : input.size();
      data = input.substr(0, take);
      input.remove_prefix(take);
      left_ -= take;
      if (left_ == 0) state_ = State::kDataCr;
      return Event::kData;
    }
    if (state_ == State::kDone) return Event::kEnd;
    if (!step(input.front())) {
      state_ = State::kBad;
      return Event::kError;
    }
    input.remove_prefix(1);
  }
  if (state_ == State::kBad) return Event::kError;
  return state_ == State::kDone ? Event::kEnd : Event::kNeedMore;
}

bool ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::kSize:
      return step_size(c);
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeLf;
        return true;
      }
      return (static_cast<unsigned char>(c) >= 0x20 || c == '\t') && c != 0x7f && ++extension_ <= kMaxExtension;
    case State::kSizeLf:
      return c == '\n' && end_of_size_line();
    case State::kDataCr:
      state_ = State::kDataLf;
      return c == '\r';
    case State::kDataLf:
      state_ = State::kSize;
      return c == '\n';
    case State::kTrailerStart:
    case State::kTrailerLine:
    case State::kTrailerLf:
      return step_trailer(c);
    case State::kEndLf:
      state_ = State::kDone;
      return c == '\n';
    case State::kData:
    case State::kDone:
    case State::kBad:
      return false;
  }
  return false;
}

bool ChunkedDecoder::step_size(char c) {
  if (scan::is_hex(c)) {
    left_ = left_ << 4 | hex_value(c);
    return ++digits_ <= 15;
  }
  if (digits_ == 0) return false;
  extension_ = 0;
  if (c == '\r') {
    state_ = State::kSizeLf;
    return true;
  }
  state_ = State::kExtension;
  return c == ';';
}

bool ChunkedDecoder::end_of_size_line() {
  state_ = left_ == 0 ? State::kTrailerStart : State::kData;
  digits_ = 0;
  return true;
}

bool ChunkedDecoder::step_trailer(char c) {
  if (++trailer_bytes_ > kMaxTrailers) return false;
  if (state_ == State::kTrailerLf) {
    state_ = State::kTrailerStart;
    return c == '\n';
  }
  if (state_ == State::kTrailerStart) {
    name_length_ = 0;
    in_value_ = false;
    if (c == '\r') {
      state_ = State::kEndLf;
      return true;
    }
    state_ = State::kTrailerLine;
  }
  if (!in_value_) {
    if (c == ':') {
      in_value_ = true;
      return name_length_ > 0 && !forbidden_trailer(identify_field({name_, name_length_ <= 32 ? name_length_ : 0U}));
    }
    if (name_length_ < 32) name_[name_length_] = c;
    if (name_length_ < 33) ++name_length_;
    return scan::is_token_char(c);
  }
  if (c == '\r') {
    state_ = State::kTrailerLf;
    return true;
  }
  return (static_cast<unsigned char>(c) >= 0x20 || c == '\t') && c != 0x7f;
}

}  // namespace akr::net
