#include "proxy/attempt/first_event.hpp"

#include <algorithm>

namespace akr {

bool FirstEvent::scan(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (line_ == 0 && text.starts_with(kByteOrderMark)) line_ = kByteOrderMark.size();
  while (line_ < text.size()) {
    if (after_cr_ && text[line_] == '\n') ++line_;
    after_cr_ = false;
    const auto end = text.find_first_of("\r\n", std::max(line_, searched_));
    if (end == std::string_view::npos) {
      searched_ = text.size();
      return false;
    }
    const std::string_view line = text.substr(line_, end - line_);
    after_cr_ = text[end] == '\r';
    line_ = end + 1;
    if (take_line(line)) return true;
  }
  return false;
}

void FirstEvent::next() {
  has_data_ = false;
  event_.clear();
  data_.clear();
}

bool FirstEvent::take_line(std::string_view line) {
  if (line.empty()) {
    if (has_data_) return true;
    event_.clear();
    return false;
  }
  const auto colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") event_ = value;
  if (name != "data") return false;
  if (has_data_) data_ += '\n';
  data_ += value;
  has_data_ = true;
  return false;
}

}  // namespace akr
