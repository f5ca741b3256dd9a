// relay_upgrade(): bytes both ways after a 101, with a bounded buffer per direction.
#include <algorithm>

#include "net/loop/worker.hpp"
#include "proxy/answer/relay.hpp"
#include "proxy/request/headers.hpp"

namespace akr {
namespace {

// One direction of the tunnel.  Holds a buffer only while it has bytes that the other side did not take yet.
class Direction {
 public:
  Direction(net::Stream& from, net::Stream& to) : from_(from), to_(to) {}

  void preload(std::string_view bytes) {
    if (bytes.empty()) return;
    buffer_ = net::Buffer::lease(bytes.size());
    std::copy(bytes.begin(), bytes.end(), buffer_.data());
    end_ = bytes.size();
  }
  bool ended() const { return ended_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint8_t want_from() const { return want_from_; }  // readiness of `from`
  std::uint8_t want_to() const { return want_to_; }

  // Moves what can be moved now.  False: the tunnel is broken.
  bool move() {
    want_from_ = want_to_ = 0;
    while (!ended_) {  // until a socket has no more, takes no more, or used its turn's budget up
      if (begin_ < end_) {
        const iovec part = {.iov_base = buffer_.data() + begin_, .iov_len = end_ - begin_};
        const net::IoResult sent = to_.try_write(&part, 1);
        if (sent.status == net::IoStatus::kError) return false;
        if (sent.status == net::IoStatus::kWouldBlock) {
          want_to_ = sent.want;
          return true;
        }
        begin_ += sent.bytes;
        bytes_ += sent.bytes;
        continue;
      }
      if (!buffer_) buffer_ = net::Buffer::lease(net::Buffer::kMedium);
      const net::IoResult got = from_.try_read(buffer_.data(), buffer_.capacity());
      if (got.status == net::IoStatus::kOk) {
        begin_ = 0;
        end_ = got.bytes;
        continue;
      }
      buffer_.release();
      if (got.status == net::IoStatus::kError) return false;
      if (got.status == net::IoStatus::kEof) {
        ended_ = true;
        to_.shutdown_write();
        return true;
      }
      want_from_ = got.want;
      return true;
    }
    return true;
  }

 private:
  net::Stream& from_;
  net::Stream& to_;
  net::Buffer buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint8_t want_from_ = 0;
  std::uint8_t want_to_ = 0;
  bool ended_ = false;
};

std::string switching_head(RequestContext& ctx, Attempt& attempt) {
  std::string text;
  compose_answer_head(ctx, attempt.answer->head, AnswerShape(), attempt.lease.key().secret.expose(), text);
  text.resize(text.size() - 2);
  return text + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
}

}  // namespace

net::Task<Result<void>> relay_upgrade(RequestContext& ctx, Attempt& attempt) {
  net::Stream& client = ctx.client.stream();
  net::Stream& upstream = attempt.connection.stream();
  ctx.status = 101;
  ctx.from_upstream = true;
  Direction down(upstream, client);
  Direction up(client, upstream);
  down.preload(switching_head(ctx, attempt) + std::string(attempt.answer->unread()));
  up.preload(ctx.client.early_bytes());
  ctx.streamed = true;
  ctx.client.mark_answered();
  attempt.answer.reset();
  while (!down.ended() || !up.ended()) {
    if (!down.move() || !up.move()) break;
    if (down.ended() && up.ended()) break;
    const auto client_interest = static_cast<std::uint8_t>(up.want_from() | down.want_to());
    const auto upstream_interest = static_cast<std::uint8_t>(down.want_from() | up.want_to());
    const TimePoint deadline = client.worker().now() + attempt.by.service->config.timeouts.stream_idle;
    const net::WaitEnd end = co_await net::wait_for_any({&client.socket(), client_interest},
                                                        {&upstream.socket(), upstream_interest}, deadline);
    if (end != net::WaitEnd::kReady) break;
    if (client.socket().dead() || upstream.socket().dead()) {
      // One last move takes what arrived before the end.
      down.move();
      break;
    }
  }
  ctx.bytes_out = down.bytes();
  ctx.client.mark_broken(false);  // the connection is not HTTP any more
  co_return Result<void>();
}

}  // namespace akr
