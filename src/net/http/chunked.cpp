#include "net/http/chunked.hpp"

#include <algorithm>

#include "net/http/http1_scan.hpp"

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
  if (state_ == State::kSize && digits_ == 0 && plain_chunk(input, data)) return Event::kData;
  while (!input.empty()) {
    if (state_ == State::kData) return take_data(input, data);
    if (state_ == State::kDone) return Event::kEnd;
    if (state_ == State::kExtension) take_extension(input);
    if (input.empty()) break;
    if (!step(input.front())) {
      state_ = State::kBad;
      return Event::kError;
    }
    input.remove_prefix(1);
    ++framing_;
  }
  if (state_ == State::kBad) return Event::kError;
  return state_ == State::kDone ? Event::kEnd : Event::kNeedMore;
}

bool ChunkedDecoder::plain_chunk(std::string_view& input, std::string_view& data) {
  constexpr std::size_t kMostDigits = 5;  // a megabyte: more never lies in one buffer
  std::size_t digits = 0;
  std::size_t size = 0;
  while (digits < input.size() && digits <= kMostDigits && scan::is_hex(input[digits]))
    size = size << 4 | hex_value(input[digits++]);
  const std::size_t begin = digits + 2;
  if (digits == 0 || digits > kMostDigits || size == 0 || input.size() < begin + size + 2) return false;
  if (input[digits] != '\r' || input[digits + 1] != '\n') return false;
  if (input[begin + size] != '\r' || input[begin + size + 1] != '\n') return false;
  if (!pays_for(framing_ + digits + 1, data_ + size)) return false;  // as in_proportion() counts at the line's end
  data = input.substr(begin, size);
  input.remove_prefix(begin + size + 2);
  data_ += size;
  framing_ += digits + 4;
  return true;
}

ChunkedDecoder::Event ChunkedDecoder::take_data(std::string_view& input, std::string_view& data) {
  data = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
  input.remove_prefix(data.size());
  left_ -= data.size();
  data_ += data.size();
  if (left_ == 0) state_ = State::kDataCr;
  return Event::kData;
}

// As much of it as is here; its end, or the byte that is wrong, is left to step().
void ChunkedDecoder::take_extension(std::string_view& input) {
  const std::size_t room = kMaxExtension - extension_;
  const std::size_t length = scan::skip_field_value(input.substr(0, room), 0);
  input.remove_prefix(length);
  extension_ = static_cast<std::uint16_t>(extension_ + length);
  extensions_ += length;
  framing_ += length;
}

// Looked at where a chunk begins: its size line is paid for by the data before it and its own.
bool ChunkedDecoder::in_proportion() {
  const std::uint64_t data = data_ + left_;
  too_heavy_ = !pays_for(framing_, data) || extensions_ > FramingLimits::kFree + data;
  return !too_heavy_;
}

bool ChunkedDecoder::pays_for(std::uint64_t framing, std::uint64_t data) const {
  constexpr std::uint64_t kMostCounted = std::uint64_t{1} << 40;  // a size line may claim more than can be multiplied
  return framing <= FramingLimits::kFree + limits_.per_byte * std::min(data, kMostCounted);
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
      return false;  // what may stand there was taken
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
  return in_proportion();
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
