#include "proxy/request/body_text.hpp"

#include <algorithm>
#include <utility>

namespace akr {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kDecoded = 16 * 1024;
// What comes out of a coding: a few hundred bytes must not cost seconds.  JSON that repeats itself is packed to a
// hundredth.
constexpr std::uint64_t kAlways = 4U << 20;
constexpr std::uint64_t kMostGrowth = 256;

}  // namespace

BodyText::BodyText(const net::MessageHead& head, PreparedRequest& request, std::uint64_t most) : body_(request.body) {
  body_.rewind();
  // Some name a coding and use none; and an upstream that knows no codings reads what is there.
  const net::ContentCodings codings = net::content_codings(head);
  if (codings.none() || PreparedRequest::opens_json(body_.beginning())) return;
  known_ = codings.known;
  if (!known_) return;
  count_ = codings.count;
  for (std::size_t i = 0; i < count_; ++i) {
    stages_[i].decoder = net::make_content_decoder(codings.all[count_ - 1 - i]);  // the last one is undone first
    stages_[i].out.resize(kDecoded);
    stages_[i].room = std::min(most, kAlways + kMostGrowth * body_.size());
  }
}

BodyText::Next BodyText::next(std::string_view& piece) {
  if (!known_) return body_.size() == 0 ? Next::kEnd : Next::kUnreadable;
  return pull(count_, piece);
}

BodyText::Next BodyText::read(std::string_view& piece) {
  if (waiting_.empty()) {
    const net::IoResult got = body_.next(waiting_);
    if (got.status == net::IoStatus::kEof) return Next::kEnd;
    if (got.status != net::IoStatus::kOk) return Next::kUnreadable;
  }
  piece = waiting_.substr(0, kPiece);
  waiting_.remove_prefix(piece.size());
  return Next::kPiece;
}

BodyText::Next BodyText::pull(std::size_t stage, std::string_view& piece) {
  using Status = net::ContentDecoder::Status;
  if (stage == 0) return read(piece);
  Stage& at = stages_[stage - 1];
  bool fed = !at.left.empty();
  bool asked = false;
  for (;;) {
    if (!fed && !at.source_over) {
      if (std::exchange(asked, true)) {  // a piece held nothing: whoever waits for more is given a turn
        piece = {};
        return Next::kPiece;
      }
      const Next more = pull(stage - 1, at.left);
      if (more == Next::kUnreadable || more == Next::kTooLong) return more;
      at.source_over = more == Next::kEnd;
    }
    std::size_t written = 0;
    const Status status = at.decoder->next(at.left, at.out.data(), at.out.size(), written);
    const bool stuck = (status == Status::kEnd || (status == Status::kMore && written == 0)) && !at.left.empty();
    if (status == Status::kError || stuck) return Next::kUnreadable;
    if (written > at.room) return Next::kTooLong;
    at.room -= written;
    if (written > 0) {
      piece = {at.out.data(), written};
      return Next::kPiece;
    }
    // Another member may follow what looked like the end; without one, the end of the source is the end.
    if (at.source_over && at.left.empty() && status != Status::kFull)
      return status == Status::kEnd ? Next::kEnd : Next::kUnreadable;
    fed = status == Status::kFull;
  }
}

}  // namespace akr
