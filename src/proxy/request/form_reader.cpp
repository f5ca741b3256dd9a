#include "proxy/request/form_reader.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::size_t kLongestHead = 8 * 1024;  // of a part

bool is_multipart(std::string_view type) { return istarts_with(type, "multipart/"); }

// The value of a parameter, with or without quotes; nullopt-like "" if it is not there once and plainly.
std::string_view parameter(std::string_view text, std::string_view lower, std::string_view name) {
  std::string_view found;
  for (auto at = lower.find(name); at != std::string_view::npos; at = lower.find(name, at + 1)) {
    const bool begins = at > 0 && (lower[at - 1] == ';' || lower[at - 1] == ' ' || lower[at - 1] == '\t');
    if (!begins) continue;
    if (!found.empty()) return {};
    std::string_view rest = text.substr(at + name.size());
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      found = rest.substr(0, rest.find('"'));
      if (found.find('\\') != std::string_view::npos) return {};
    } else {
      found = rest.substr(0, rest.find_first_of("; \t\r\n"));
    }
  }
  return found;
}

// Codings that leave a part as it is (RFC 2045 section 6.1).
bool is_plain_coding(std::string_view lower_head) {
  constexpr std::string_view kName = "content-transfer-encoding";
  const auto at = lower_head.find(kName);
  if (at == std::string_view::npos) return true;
  std::string_view value = lower_head.substr(at + kName.size());
  if (value.find(kName) != std::string_view::npos) return false;
  value = trim(value.substr(0, value.find('\n')));
  if (value.starts_with(':')) value = trim(value.substr(1));
  return value == "7bit" || value == "8bit" || value == "binary";
}

std::string decode_form(std::string text) {
  std::ranges::replace(text, '+', ' ');
  return percent_decode(text).value_or(text);
}

}  // namespace

FormReader::FormReader(std::string_view content_type) {
  if (!is_multipart(content_type)) return;
  const std::string_view boundary = parameter(content_type, to_lower(content_type), "boundary=");
  readable_ = istarts_with(content_type, "multipart/form-data") && !boundary.empty();
  delimiter_ = "\n--" + std::string(boundary);
  window_ = "\n";
}

void FormReader::feed(std::string_view piece, Visitor& visitor) {
  if (!delimiter_.empty()) {
    if (!readable_) return visitor.unreadable();
    window_ += piece;
    return feed_multipart(false, visitor);
  }
  while (!piece.empty()) {
    const std::size_t end = std::min(piece.find('&'), piece.size());
    keep(piece.substr(0, end));
    if (end < piece.size()) end_parameter(visitor);
    piece.remove_prefix(std::min(end + 1, piece.size()));
  }
}

void FormReader::end(Visitor& visitor) {
  if (delimiter_.empty()) return end_parameter(visitor);
  if (!readable_) return;
  feed_multipart(true, visitor);
  if (state_ == State::kContent) end_part(visitor);
}

void FormReader::feed_multipart(bool over, Visitor& visitor) {
  std::size_t at = 0;
  for (bool goes_on = true; goes_on && at < window_.size();) {
    const std::size_t before = at;
    const State state = state_;
    switch (state_) {
      case State::kBefore:
      case State::kContent:
        at = take_content(at, over, visitor);
        break;
      case State::kLineEnd:  // what stands behind a boundary in its line is padding to some, and nothing to others
        at = std::min(window_.find('\n', at), window_.size() - 1) + 1;
        if (window_[at - 1] == '\n') state_ = State::kHead;
        head_.clear();
        break;
      case State::kHead:
        at = take_head(at, visitor);
        break;
    }
    goes_on = at != before || state_ != state;
  }
  window_.erase(0, at);
}

std::size_t FormReader::take_content(std::size_t at, bool over, Visitor& visitor) {
  const std::size_t end = window_.find(delimiter_, at);
  const bool found = end != std::string::npos;
  const std::size_t unsure = over ? 0 : std::min(window_.size() - at, delimiter_.size() - 1);
  const std::string_view content =
      std::string_view(window_).substr(at, found ? end - at : window_.size() - at - unsure);
  if (state_ == State::kContent) {
    keep(content);
  } else if (content.find_first_not_of(" \t\r\n") != std::string_view::npos) {
    visitor.unreadable();  // nobody writes before the first boundary who has nothing to hide
  }
  if (!found) return at + content.size();
  if (state_ == State::kContent) end_part(visitor);
  state_ = State::kLineEnd;
  return end + delimiter_.size();
}

// A line of the part's head, or the empty one behind it, whose end may be the beginning of a boundary.
std::size_t FormReader::take_head(std::size_t at, Visitor& visitor) {
  const std::size_t end = window_.find('\n', at);
  const std::string_view line = std::string_view(window_).substr(at, end == std::string::npos ? end : end - at);
  if (head_.size() + line.size() > kLongestHead) {
    visitor.unreadable();
    readable_ = false;
    return window_.size();
  }
  if (end == std::string::npos) return at;
  if (line.starts_with(std::string_view(delimiter_).substr(1))) {
    head_.clear();
    return end + 1;
  }
  if (!trim(line).empty()) {
    head_.append(line) += '\n';
    return end + 1;
  }
  const std::string lower = to_lower(head_);
  if (!is_plain_coding(lower)) visitor.unreadable();
  file_ = lower.find("filename") != std::string::npos;
  value_.clear();
  cut_ = false;
  state_ = State::kContent;
  return end;
}

void FormReader::keep(std::string_view content) {
  const std::size_t most = file_ ? kLongestOfFile : kLongestValue;
  const std::size_t room = most - std::min(value_.size(), most);
  cut_ = cut_ || content.size() > room;
  value_ += content.substr(0, room);
}

void FormReader::end_part(Visitor& visitor) {
  std::string_view value = value_;
  value.remove_prefix(std::min<std::size_t>(1, value.size()));  // the end of the empty line
  if (!cut_ && value.ends_with('\r')) value.remove_suffix(1);
  visitor.field({parameter(head_, to_lower(head_), "name="), value, file_, cut_});
}

void FormReader::end_parameter(Visitor& visitor) {
  const auto equals = value_.find('=');
  const std::string name = decode_form(value_.substr(0, equals));
  const std::string value = equals == std::string::npos ? std::string() : decode_form(value_.substr(equals + 1));
  visitor.field({name, value, false, cut_});
  value_.clear();
  cut_ = false;
}

}  // namespace akr
