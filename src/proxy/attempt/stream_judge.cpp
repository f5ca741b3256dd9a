#include "proxy/attempt/stream_judge.hpp"

#include <array>

namespace akr {
namespace {

constexpr std::size_t kMostDecoded = 1 << 20;

}  // namespace

StreamJudge::StreamJudge(const Judge& judge, const net::MessageHead& answer, const Dialect* content_of)
    : judge_(judge), answer_(answer), content_of_(content_of), codings_(net::content_codings(answer)) {
  restart();
}

void StreamJudge::restart() {
  events_ = FirstEvent();
  saw_event_ = decided_ = false;
  bad_.reset();
  taken_ = 0;
  text_.clear();
  if (codings_.count == 1) decoder_ = net::make_content_decoder(codings_.all[0]);
}

bool StreamJudge::scan(std::string_view held) {
  if (codings_.none()) return scan_text(held);
  // A stream in several codings, or in one that nobody knows, is relayed as it is.
  return decoder_ != nullptr && scan_text(decode(held));
}

bool StreamJudge::scan_text(std::string_view text) {
  if (decided_) return true;
  while (events_.scan(text)) {
    saw_event_ = true;
    bad_ = judge_.event(answer_, events_.event());
    decided_ = bad_ || content_of_ == nullptr || !content_of_->is_empty_event(events_.event());
    if (decided_) return true;
    events_.next();
  }
  return false;
}

std::string_view StreamJudge::decode(std::string_view held) {
  std::string_view input = held.substr(taken_);
  std::array<char, 4096> out;
  while (!input.empty() && text_.size() < kMostDecoded) {
    std::size_t written = 0;
    const auto status = decoder_->next(input, out.data(), out.size(), written);
    text_.append(out.data(), written);
    if (status == net::ContentDecoder::Status::kFull) continue;
    if (status != net::ContentDecoder::Status::kMore) break;
  }
  taken_ = held.size();
  return text_;
}

bool StreamJudge::was_empty(std::string_view held) {
  // Some end without the empty line that makes the last lines an event.
  const std::string ended = std::string(codings_.none() ? held : std::string_view(text_)) + "\n\n";
  return saw_event_ && !scan_text(ended);
}

}  // namespace akr
