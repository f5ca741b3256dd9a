#include "proxy/answer/answer_pump.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

namespace akr {

bool AnswerPump::feed(std::string_view& input, net::Outgoing& out) {
  if (mask_ != nullptr) return feed_masked(input, out);
  std::array<std::string_view, kRuns> runs;
  std::size_t count = 0;
  std::size_t size = 0;
  const std::string_view before = input;
  const bool from_chunk = framing_ == Framing::kChunked && body_.between_chunks();
  while (count < kRuns) {
    std::string_view data;
    const auto event = body_.next(input, data);
    if (event == net::BodyDecoder::Event::kError) return false;
    if (event != net::BodyDecoder::Event::kData) break;
    runs[count++] = data;
    if (tap_ != nullptr) tap_->take(data);
    size += data.size();
  }
  const std::size_t dropped = drops_mark_ && size > 0 ? drop_mark(std::span(runs).first(count)) : 0;
  size -= dropped;
  bytes_ += size;
  for (std::size_t i = count > 4 ? count - 4 : 0; i < count; ++i) note_tail(runs[i]);
  const std::string_view taken = before.substr(0, before.size() - input.size());
  if (from_chunk && dropped == 0 && canonical(taken, std::span(runs).first(count))) {
    out.add(taken);
    ended_ = body_.finished();
    return true;
  }
  if (size > 0) {
    open_chunk(size, out);
    for (std::size_t i = 0; i < count; ++i) out.add(runs[i]);
    if (framing_ == Framing::kChunked) out.add("\r\n");
  }
  finish_if_complete(out);
  return true;
}

std::size_t AnswerPump::drop_mark(std::span<std::string_view> runs) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  const std::size_t before = mark_;
  for (std::string_view& run : runs) {
    while (drops_mark_ && !run.empty()) {
      drops_mark_ = run.front() == kMark[mark_];
      if (!drops_mark_) break;
      run.remove_prefix(1);
      drops_mark_ = ++mark_ < kMark.size();
    }
  }
  return mark_ - before;
}

bool AnswerPump::feed_masked(std::string_view& input, net::Outgoing& out) {
  masked_.clear();
  for (;;) {
    std::string_view data;
    const auto event = body_.next(input, data);
    if (event == net::BodyDecoder::Event::kError) return false;
    if (event != net::BodyDecoder::Event::kData) break;
    mask_->take(data, masked_);
    bytes_ += data.size();
  }
  add_masked(out);
  return true;
}

void AnswerPump::add_masked(net::Outgoing& out) {
  if (body_.finished()) mask_->finish(masked_);
  note_tail(masked_);
  if (!masked_.empty()) {
    open_chunk(masked_.size(), out);
    out.add(masked_);
    if (framing_ == Framing::kChunked) out.add("\r\n");
  }
  finish_if_complete(out);
}

// The decoder has checked the grammar, so a chunk whose length is the shortest possible has neither an extension nor
// leading zeros, and an end of five bytes no trailers.
bool AnswerPump::canonical(std::string_view taken, std::span<const std::string_view> runs) const {
  if (!body_.finished() && !body_.between_chunks()) return false;
  std::size_t shortest = body_.finished() ? 5 : 0;
  for (const std::string_view run : runs)
    shortest += (static_cast<std::size_t>(std::bit_width(run.size())) + 3) / 4 + run.size() + 4;
  return taken.size() == shortest;
}

void AnswerPump::add_decoded(std::string_view data, net::Outgoing& out) {
  if (data.empty()) return;
  if (mask_ != nullptr) {
    masked_.clear();
    mask_->take(data, masked_);
    bytes_ += data.size();
    return add_masked(out);
  }
  if (tap_ != nullptr) tap_->take(data);
  open_chunk(data.size(), out);
  out.add(data);
  if (framing_ == Framing::kChunked) out.add("\r\n");
  bytes_ += data.size();
  note_tail(data);
}

void AnswerPump::open_chunk(std::size_t size, net::Outgoing& out) {
  if (framing_ != Framing::kChunked) return;
  auto* const end = std::to_chars(size_line_.data(), size_line_.data() + 16, size, 16).ptr;
  end[0] = '\r';
  end[1] = '\n';
  out.add({size_line_.data(), static_cast<std::size_t>(end + 2 - size_line_.data())});
}

void AnswerPump::finish_if_complete(net::Outgoing& out) {
  if (ended_ || !body_.finished()) return;
  ended_ = true;
  if (framing_ == Framing::kChunked) out.add("0\r\n\r\n");
}

bool AnswerPump::end_of_stream(net::Outgoing& out) {
  if (!body_.end_of_stream()) return false;
  if (mask_ != nullptr) {
    masked_.clear();
    add_masked(out);
  }
  finish_if_complete(out);
  return true;
}

// An event ends with an empty line: "\n\n", "\r\r" or "\r\n\r\n" (WHATWG HTML, server-sent events).
void AnswerPump::note_tail(std::string_view data) {
  const std::size_t take = std::min(data.size(), tail_.size());
  std::move(tail_.begin() + static_cast<std::ptrdiff_t>(take), tail_.end(), tail_.begin());
  std::copy(data.end() - static_cast<std::ptrdiff_t>(take), data.end(),
            tail_.end() - static_cast<std::ptrdiff_t>(take));
  const std::string_view tail(tail_.data(), tail_.size());
  boundary_ = tail.ends_with("\n\n") || tail.ends_with("\r\r") || tail == "\r\n\r\n";
}

}  // namespace akr
