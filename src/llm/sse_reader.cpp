#include "llm/sse_reader.hpp"

#include <algorithm>
#include <cstring>

namespace akr {
namespace {

constexpr std::size_t kMostLine = SseReader::kMostKept + std::string_view("data: ").size();

// Where the first line ends.  Two searches of memchr are quicker than one for either character.
std::size_t find_line_end(std::string_view text) {
  if (text.empty()) return std::string_view::npos;
  const void* const feed = std::memchr(text.data(), '\n', text.size());
  const std::size_t end =
      feed == nullptr ? text.size() : static_cast<std::size_t>(static_cast<const char*>(feed) - text.data());
  const void* const back = end == 0 ? nullptr : std::memchr(text.data(), '\r', end);
  if (back != nullptr) return static_cast<std::size_t>(static_cast<const char*>(back) - text.data());
  return feed == nullptr ? std::string_view::npos : end;
}

std::string_view value_behind(std::string_view line, std::size_t colon) {
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

}  // namespace

bool SseReader::next(std::string_view& input) {
  if (complete_) begin_event();
  while (!input.empty()) {
    if (after_cr_ && input.front() == '\n') input.remove_prefix(1);
    after_cr_ = false;
    const std::size_t end = find_line_end(input);
    if (end == std::string_view::npos) {
      keep_rest(input);
      input = {};
      break;
    }
    after_cr_ = input[end] == '\r';
    const bool whole = line_.empty() && !line_cut_;
    if (!whole) keep_rest(input.substr(0, end));
    const bool ended = take_line(whole ? input.substr(0, end) : std::string_view(line_), whole);
    input.remove_prefix(end + 1);
    line_.clear();
    line_cut_ = false;
    if (ended) return true;
  }
  keep_views();
  return false;
}

bool SseReader::finish() {
  if (complete_) begin_event();
  if (!line_.empty()) take_line(line_, false);
  line_.clear();
  complete_ = has_data_;
  return has_data_;
}

// `own`: the line lies in the caller's bytes, and so may what is kept of it.
bool SseReader::take_line(std::string_view line, bool own) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (!begun_ && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  begun_ = true;
  if (line.empty()) {
    complete_ = has_data_;
    if (!has_data_) event_ = {};
    return has_data_;
  }
  const auto colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (name == "data") {
    cut_ = cut_ || line_cut_;
    take_data(value_behind(line, colon), own);
  } else if (name == "event") {
    event_ = value_behind(line, colon);
    if (!own) event_ = event_text_ = event_;
  }
  return false;
}

void SseReader::take_data(std::string_view value, bool own) {
  if (!has_data_ && own) {
    has_data_ = true;
    cut_ = cut_ || value.size() > kMostKept;
    data_ = value.substr(0, kMostKept);
    return;
  }
  if (!has_data_) {
    data_text_.clear();
  } else {
    if (data_.data() != data_text_.data()) data_text_ = data_;
    data_text_ += '\n';
  }
  has_data_ = true;
  const std::size_t room = kMostKept - std::min(kMostKept, data_text_.size());
  cut_ = cut_ || value.size() > room;
  data_text_ += value.substr(0, room);
  data_ = data_text_;
}

// The bytes that the views lie in will be gone.
void SseReader::keep_views() {
  if (has_data_ && data_.data() != data_text_.data()) data_ = data_text_ = data_;
  if (!event_.empty() && event_.data() != event_text_.data()) event_ = event_text_ = event_;
}

void SseReader::keep_rest(std::string_view rest) {
  const std::size_t room = kMostLine - std::min(kMostLine, line_.size());
  line_cut_ = line_cut_ || rest.size() > room;
  line_ += rest.substr(0, room);
}

void SseReader::begin_event() {
  complete_ = has_data_ = cut_ = false;
  event_ = data_ = {};
}

}  // namespace akr
