#include "response_reader.hpp"

#include <algorithm>
#include <charconv>

#include "http_head.hpp"
#include "sockets.hpp"
#include "upstream_answers.hpp"

namespace akr::bench {

ResponseReader::State ResponseReader::feed(std::string_view data) {
  while (!data.empty() && (state_ == State::kHead || state_ == State::kBody)) {
    if (state_ == State::kHead) {
      data = take_head(data);
    } else {
      data = part_ == Part::kLength ? take_plain(data) : take_chunked(data);
    }
  }
  if (!data.empty()) state_ = State::kBad;
  return state_;
}

void ResponseReader::next() {
  state_ = State::kHead;
  body_bytes_ = 0;
  last_ = 0;
}

std::string_view ResponseReader::take_head(std::string_view data) {
  const auto before = head_.size();
  if (before != 0) head_ += data;
  const auto head = parse_head(before != 0 ? std::string_view(head_) : data);
  if (!head) {
    if (before == 0) head_ = data;
    return {};
  }
  const auto rest = data.substr(head->size - before);
  head_.clear();
  status_ = head->status;
  close_ = head->close;
  left_ = head->content_length;
  part_ = head->chunked ? Part::kSize : Part::kLength;
  // A response that ends with its connection cannot be told from one that was cut: the benchmark refuses it.
  if (status_ == 0 || (!head->chunked && !head->has_length)) {
    state_ = State::kBad;
  } else {
    state_ = !head->chunked && left_ == 0 ? State::kDone : State::kBody;
    if (head->chunked) left_ = 0;
  }
  return rest;
}

std::string_view ResponseReader::take_plain(std::string_view data) {
  const auto n = std::min<std::uint64_t>(left_, data.size());
  left_ -= n;
  body_bytes_ += n;
  if (left_ == 0) state_ = State::kDone;
  return data.substr(n);
}

std::string_view ResponseReader::take_chunked(std::string_view data) {
  if (part_ == Part::kData) {
    const auto n = std::min<std::uint64_t>(left_, data.size());
    count_events(data.substr(0, n));
    body_bytes_ += n;
    left_ -= n;
    if (left_ == 0) part_ = Part::kDataEnd;
    return data.substr(n);
  }
  const char c = data.front();
  if (part_ == Part::kSize && c != '\n') {
    take_size_digit(c);
  } else if (part_ == Part::kSize) {
    finish_size_line();
  } else if (part_ == Part::kDataEnd && c == '\n') {
    part_ = Part::kSize;
  } else if (part_ == Part::kTrailer && c == '\n') {
    if (trailer_line_empty_) state_ = State::kDone;
    trailer_line_empty_ = true;
  } else if (part_ == Part::kTrailer && c != '\r') {
    trailer_line_empty_ = false;
  }
  return data.substr(1);
}

void ResponseReader::take_size_digit(char c) {
  if (c == '\r') return;
  const char lower = static_cast<char>(c | 0x20);
  if (c >= '0' && c <= '9') {
    left_ = left_ * 16 + static_cast<std::uint64_t>(c - '0');
  } else if (lower >= 'a' && lower <= 'f') {
    left_ = left_ * 16 + static_cast<std::uint64_t>(lower - 'a' + 10);
  } else {
    state_ = State::kBad;
  }
}

void ResponseReader::finish_size_line() {
  if (left_ == 0) {
    part_ = Part::kTrailer;
    trailer_line_empty_ = true;
    return;
  }
  ++chunks_;
  part_ = Part::kData;
}

void ResponseReader::count_events(std::string_view data) {
  if (data.empty()) return;
  if (delays_ns_ != nullptr) note_delays(data);
  if (last_ == '\n' && data.front() == '\n') ++events_;
  for (std::size_t at = data.find("\n\n"); at != std::string_view::npos; at = data.find("\n\n", at + 2)) ++events_;
  last_ = data.back();
}

void ResponseReader::note_delays(std::string_view data) {
  const std::int64_t now = now_ns();
  for (auto at = data.find(kBeforeStamp); at != std::string_view::npos; at = data.find(kBeforeStamp, at + 1)) {
    const std::string_view stamp = data.substr(at + kBeforeStamp.size(), kStampDigits);
    std::int64_t sent = 0;
    const auto read = std::from_chars(stamp.data(), stamp.data() + stamp.size(), sent);
    if (stamp.size() == kStampDigits && read.ptr == stamp.data() + stamp.size()) delays_ns_->push_back(now - sent);
  }
}

}  // namespace akr::bench
