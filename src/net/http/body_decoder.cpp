#include "net/http/body_decoder.hpp"

namespace akr::net {

void BodyDecoder::start(const MessageHead& head) {
  kind_ = head.body_kind();
  left_ = head.content_length();
  if (kind_ == BodyKind::kChunked) chunks_ = ChunkedDecoder();
  finished_ = kind_ == BodyKind::kNone;
}

BodyDecoder::Event BodyDecoder::next(std::string_view& input, std::string_view& data) {
  if (finished_) return Event::kEnd;
  if (kind_ == BodyKind::kChunked) {
    const Event event = chunks_.next(input, data);
    finished_ = chunks_.finished();
    return event;
  }
  if (input.empty()) return Event::kNeedMore;
  const bool whole = kind_ == BodyKind::kUntilClose || input.size() <= left_;
  data = whole ? input : input.substr(0, static_cast<std::size_t>(left_));
  input.remove_prefix(data.size());
  if (kind_ == BodyKind::kLength) {
    left_ -= data.size();
    finished_ = left_ == 0;
  }
  return Event::kData;
}

void BodyDecoder::skip(std::uint64_t bytes) {
  left_ -= bytes;
  finished_ = left_ == 0;
}

bool BodyDecoder::end_of_stream() {
  if (kind_ == BodyKind::kUntilClose) finished_ = true;
  return finished_;
}

}  // namespace akr::net
