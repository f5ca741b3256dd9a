#include "net/server/downstream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "net/loop/outgoing.hpp"
#include "net/loop/worker.hpp"

namespace akr::net {
namespace {

constexpr std::size_t kMaxDiscard = 256 * 1024;  // unread body of an answered request that is worth swallowing
constexpr std::chrono::seconds kLinger{2};

struct Reason {
  int status;
  std::string_view phrase;
};

constexpr std::array kReasons = {
    Reason{100, "Continue"},
    Reason{101, "Switching Protocols"},
    Reason{200, "OK"},
    Reason{201, "Created"},
    Reason{202, "Accepted"},
    Reason{204, "No Content"},
    Reason{304, "Not Modified"},
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{408, "Request Timeout"},
    Reason{409, "Conflict"},
    Reason{411, "Length Required"},
    Reason{413, "Content Too Large"},
    Reason{415, "Unsupported Media Type"},
    Reason{417, "Expectation Failed"},
    Reason{422, "Unprocessable Content"},
    Reason{429, "Too Many Requests"},
    Reason{431, "Request Header Fields Too Large"},
    Reason{500, "Internal Server Error"},
    Reason{501, "Not Implemented"},
    Reason{502, "Bad Gateway"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Timeout"},
    Reason{505, "HTTP Version Not Supported"},
    Reason{507, "Insufficient Storage"},
};

}  // namespace

std::string_view reason_phrase(int status) {
  const auto* const found = std::ranges::find(kReasons, status, &Reason::status);
  return found == kReasons.end() ? std::string_view() : found->phrase;
}

Downstream::Downstream(std::unique_ptr<Stream> stream, const ServerLimits& limits, const IpAddress& peer)
    : stream_(std::move(stream)),
      limits_(limits),
      peer_(peer),
      client_ip_(to_text(peer)),
      memory_(limits.strangers),
      trusted_peer_(limits.trusted.contains(peer)),
      https_(stream_->tls()) {}

void Downstream::note_client(const ForwardedClient& client) {
  client_ip_ = to_text(client.address);
  https_ = client.scheme == ForwardedClient::Scheme::kUnsaid ? stream_->tls()
                                                             : client.scheme == ForwardedClient::Scheme::kHttps;
}

TimePoint Downstream::send_deadline() const { return stream_->worker().now() + limits_.send_timeout; }

// Bytes just often enough to never make a gap must not hold a request for ever.
TimePoint Downstream::rate_deadline() const {
  if (limits_.body_min_rate == 0) return TimePoint::max();
  return body_started_ + 3 * limits_.body_timeout + std::chrono::seconds(body_received_ / limits_.body_min_rate);
}

TimePoint Downstream::body_deadline() const {
  const TimePoint gap = stream_->worker().now() + limits_.body_timeout;
  return std::min({gap, rate_deadline(), body_started_ + limits_.body_total});
}

std::uint64_t Downstream::body_counted() const {
  const std::uint64_t framing = body_kind_ == BodyKind::kChunked ? decoder_.framing() : 0;
  return body_received_ + (framing > FramingLimits::kFree ? framing - FramingLimits::kFree : 0);
}

Error Downstream::body_error(int error) const {
  switch (error) {
    case EPROTO:
      return {ErrorCode::kBadRequest, "the chunked request body is not valid"};
    case E2BIG:
      return {ErrorCode::kBadRequest,
              "the chunk framing of the request body is over its limit of 64 KiB and " +
                  std::to_string(limits_.framing.per_byte) +
                  " bytes for each byte of data (MAX_CHUNK_FRAMING), or its extensions over 64 KiB and a byte for each "
                  "byte of data; send larger chunks"};
    case ENOBUFS:
      return {.code = ErrorCode::kOverloaded, .message = std::string(describe(HeadError::kCrowded)), .retry_after = 1};
    case EMSGSIZE:
      return {ErrorCode::kHeadTooLarge, "the request head leaves no room for its body"};
    case ETIMEDOUT:
      return {ErrorCode::kRequestTimeout, "the request body came too slowly: " + body_timer()};
    default:
      return {ErrorCode::kClientGone, "the client left before its body was complete"};
  }
}

// Which of the three limits on a body's time it met.
std::string Downstream::body_timer() const {
  const TimePoint now = stream_->worker().now();
  if (now >= body_started_ + limits_.body_total)
    return "it took longer than " + std::to_string(limits_.body_total.count()) + " ms (BODY_TOTAL_TIMEOUT)";
  if (now >= rate_deadline())
    return "less than " + std::to_string(limits_.body_min_rate) + " bytes per second (BODY_MIN_RATE)";
  return "nothing for " + std::to_string(limits_.body_timeout.count()) + " ms (BODY_TIMEOUT)";
}

IoResult Downstream::read_more() {
  if (!slot_) slot_ = lease_slot();
  if (slot_->full() && !may_hold(Buffer::rounded(slot_->buffer.capacity() + 1)))
    return {.status = IoStatus::kError, .error = ENOBUFS};
  return slot_->read_more(*stream_, Buffer::kSmall);
}

Task<Downstream::Next> Downstream::next_request() {
  TimePoint deadline = worker().now() + (served_ ? limits_.keepalive_timeout : limits_.new_connection_timeout);
  bool parse = slot_ && slot_->end > slot_->begin;  // pipelined bytes
  bool started = parse;
  if (started) deadline = worker().now() + limits_.head_timeout;
  for (;;) {
    if (parse) {
      const ParseStatus status =
          slot_->head.parse_request({slot_->buffer.data() + slot_->begin, slot_->end - slot_->begin});
      if (status == ParseStatus::kDone) {
        begin_body();
        co_return Next::kRequest;
      }
      if (status == ParseStatus::kError) co_return refuse();
    }
    // A connection that only waits must not hold a buffer, so ask the kernel before leasing one.
    IoResult result = {.status = IoStatus::kWouldBlock, .want = kRead};
    if (started || stream_->tls() || (socket().ready() & kRead) != 0) result = read_more();
    if (result.status == IoStatus::kWouldBlock) {
      if (!started) slot_.reset();
      const WaitEnd end = co_await wait_for(socket(), result.want, deadline);
      if (end != WaitEnd::kReady) co_return started&& end == WaitEnd::kTimeout ? refuse() : Next::kClose;
      continue;
    }
    if (result.status == IoStatus::kError && result.error == ENOBUFS) {
      refusal_ = HeadError::kCrowded;
      co_return refuse();
    }
    if (result.status != IoStatus::kOk) co_return Next::kClose;
    const char* fresh = slot_->buffer.data() + slot_->end - result.bytes;
    // A head is complete, or wrong, at the end of a line; a parse per line bounds the work of a slow sender.
    parse = !started || std::memchr(fresh, '\n', result.bytes) != nullptr || slot_->end >= kMaxHeadBytes;
    if (!started) deadline = worker().now() + limits_.head_timeout;
    started = true;
    idle_ = false;
  }
}

// There is no request: what is answered now answers the connection, and is the last on it.
Downstream::Next Downstream::refuse() {
  keep_alive_ = false;
  body_finished_ = true;
  answered_ = false;
  if (trusted_peer_) note_client({.address = peer_});  // a head that cannot be read names nobody
  return Next::kRefuse;
}

HeadError Downstream::refusal() const {
  if (refusal_ != HeadError::kNone || !slot_) return refusal_;
  return slot_->head.error();
}

void Downstream::begin_body() {
  const MessageHead& head = slot_->head;
  slot_->begin += head.size();
  body_kind_ = head.body_kind();
  body_left_ = head.content_length();
  body_received_ = 0;
  body_started_ = worker().now();
  body_finished_ = body_kind_ == BodyKind::kNone;
  if (body_kind_ == BodyKind::kChunked) decoder_ = ChunkedDecoder(limits_.framing);
  continue_due_ = head.expect_continue() && !body_finished_ && slot_->begin == slot_->end;
  head_request_ = head.method() == "HEAD";
  keep_alive_ = head.keep_alive();
  client_closes_ = !keep_alive_;
  answered_ = broken_ = reset_ = idle_ = false;
  served_ = true;
}

bool Downstream::take_buffered_body(std::string_view& body) {
  if (body_finished_) {
    body = {};
    return true;
  }
  const std::size_t here = slot_->end - slot_->begin;
  if (body_kind_ != BodyKind::kLength || body_received_ != 0 || here < body_left_) return false;
  body = {slot_->buffer.data() + slot_->begin, static_cast<std::size_t>(body_left_)};
  slot_->begin += body.size();
  body_received_ = body.size();
  body_left_ = 0;
  body_finished_ = true;
  return true;
}

IoResult Downstream::try_read_body(std::string_view& data) {
  for (;;) {
    if (body_finished_) return {.status = IoStatus::kEof};
    std::string_view input(slot_->buffer.data() + slot_->begin, slot_->end - slot_->begin);
    if (!input.empty()) {
      continue_due_ = false;
      if (body_kind_ == BodyKind::kLength) {
        data = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size())));
        slot_->begin += data.size();
        body_left_ -= data.size();
        body_finished_ = body_left_ == 0;
        body_received_ += data.size();
        return {.bytes = data.size()};
      }
      // Thousands of tiny chunks came with one read.
      if (!socket().may_work(kRead)) return {.status = IoStatus::kWouldBlock, .want = kRead};
      socket().charge(cost::kChunk);
      const auto event = decoder_.next(input, data);
      slot_->begin = slot_->end - input.size();
      if (event == ChunkedDecoder::Event::kError)
        return {.status = IoStatus::kError, .error = decoder_.framing_too_heavy() ? E2BIG : EPROTO};
      body_finished_ = event == ChunkedDecoder::Event::kEnd;
      if (event == ChunkedDecoder::Event::kData) {
        body_received_ += data.size();
        return {.bytes = data.size()};
      }
      continue;
    }
    // All of the buffer is consumed, but the head's bytes at its front may still be needed: keep them.
    const std::size_t keep = slot_->head.size();
    slot_->begin = slot_->end = keep;
    if (slot_->buffer.capacity() - slot_->end < Buffer::kMedium / 4) {
      if (!may_hold(Buffer::kLarge)) return {.status = IoStatus::kError, .error = ENOBUFS};
      Buffer larger = Buffer::lease(Buffer::kLarge);
      if (larger.capacity() - slot_->end < Buffer::kSmall) return {.status = IoStatus::kError, .error = EMSGSIZE};
      std::memcpy(larger.data(), slot_->buffer.data(), keep);
      slot_->buffer = std::move(larger);
      slot_->head.rebase(slot_->buffer.data());
    }
    const IoResult result = read_more();
    if (result.status == IoStatus::kEof) return {.status = IoStatus::kError, .error = ECONNRESET};
    if (result.status != IoStatus::kOk) return result;
  }
}

void Downstream::send_continue() {
  if (!continue_due_) return;
  continue_due_ = false;
  socket().allow_last_words();
  Outgoing out;
  out.add("HTTP/1.1 100 Continue\r\n\r\n");
  out.try_send(*stream_);  // 25 bytes into an empty send buffer; a failure shows at the next read
}

void Downstream::release_head() {
  if (!slot_ || slot_->begin < slot_->end || !body_finished_) return;
  slot_.reset();
  memory_.release();
}

Task<void> Downstream::reply(int status, std::string fields, std::string body) {
  if (answered_) co_return;
  if (!body_finished_ && (continue_due_ || body_left_ > kMaxDiscard || body_kind_ == BodyKind::kChunked)) {
    keep_alive_ = false;
  }
  std::string head = "HTTP/1.1 " + std::to_string(status) + ' ';
  head += reason_phrase(status);
  head += "\r\n" + fields;
  if (status != 204 && status != 304) head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  head += keep_alive_ ? "\r\n" : "Connection: close\r\n\r\n";
  if (!head_request_) head += body;
  answered_ = true;  // not before: without memory for this answer a smaller one may still be given
  const IoResult sent = co_await write_all_to_reader(*stream_, head, limits_.send_timeout);
  if (sent.status != IoStatus::kOk) mark_broken(true);
}

bool Downstream::finish_request() {
  if (broken_) {
    if (reset_) socket().close_reset();
    return false;
  }
  std::string_view ignored;
  while (keep_alive_ && !body_finished_) {
    const IoResult result = try_read_body(ignored);
    if (result.status == IoStatus::kEof) break;
    if (result.status != IoStatus::kOk || body_received_ > kMaxDiscard) keep_alive_ = false;
  }
  known_ = false;
  if (slot_ && slot_->begin < slot_->end) {
    keep_rest();
  } else {
    slot_.reset();
    memory_.release();
  }
  return true;
}

bool Downstream::become_idle() {
  idle_ = !slot_;
  return idle_;
}

// The beginning of the next request, which comes from nobody we know yet: it gets a small buffer again if it fits.
void Downstream::keep_rest() {
  const std::string_view rest = slot_->unread();
  const bool shrink = slot_->buffer.capacity() > Buffer::kSmall && rest.size() <= Buffer::kSmall;
  if (shrink) {
    Buffer small = Buffer::lease(Buffer::kSmall);
    std::memcpy(small.data(), rest.data(), rest.size());
    slot_->buffer = std::move(small);
    memory_.release();
  } else {
    std::memmove(slot_->buffer.data(), rest.data(), rest.size());
    if (slot_->buffer.capacity() > Buffer::kSmall && !may_hold(slot_->buffer.capacity())) keep_alive_ = false;
  }
  slot_->begin = 0;
  slot_->end = rest.size();
}

// Closing with unread bytes makes the kernel send RST, which can destroy an answer the client has not read yet.
Task<void> Downstream::linger() {
  stream_->shutdown_write();
  const TimePoint deadline = worker().now() + kLinger;
  slot_.reset();
  memory_.release();
  // Nobody looks at these bytes, so that all connections of a thread may share their place.
  static thread_local std::array<char, Buffer::kMedium> ignored;
  for (std::size_t total = 0; total < 16 * kMaxDiscard;) {
    const IoResult result = co_await read_some(*stream_, ignored.data(), ignored.size(), deadline);
    if (result.status != IoStatus::kOk) break;
    total += result.bytes;
  }
}

}  // namespace akr::net
