#include "net/client/exchange.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace akr::net {
namespace {

// The state of sending; lives in the coroutine's frame.
class Sender {
 public:
  Sender(UpstreamConnection& connection, const ExchangeRequest& request)
      : connection_(connection), body_(request.body) {
    out_.add(request.head);
  }

  bool done() const { return ended_ && out_.left() == 0; }
  bool waits_for_client() const { return waits_for_client_; }

  // Sends what can be sent now.  kOk: all gone.  kWouldBlock: see waits_for_client() and `want`.
  IoResult push() {
    for (;;) {
      if (out_.left() > 0) {
        const std::size_t before = out_.left();
        const IoResult result = out_.try_send(connection_.stream());
        const std::size_t sent = before - out_.left();
        connection_.note_sent(sent);
        sent_ += sent;
        if (result.status != IoStatus::kOk) {
          waits_for_client_ = false;
          return result;
        }
      }
      if (ended_) return {};
      const IoResult more = fill();
      if (more.status != IoStatus::kOk) return more;
    }
  }

  // The head's bytes live in memory that the next suspension may overwrite: keep what has not left yet.
  void keep_head(std::string_view head) {
    if (sent_ >= head.size() || kept_) return;
    kept_ = true;
    head_.assign(head.substr(static_cast<std::size_t>(sent_)));
    Outgoing fresh;
    fresh.add(head_);
    fresh.add(run_);  // a body in memory was added in the same breath
    out_ = fresh;
  }

  std::uint64_t sent() const { return sent_; }
  bool client_failed() const { return client_failed_; }

  // Puts the first run of the body behind the head, so that both leave in one write.
  IoResult prime() {
    if (body_ == nullptr) {
      ended_ = true;
      return {};
    }
    if (body_->chunked()) return {};
    return fill();
  }

 private:
  IoResult fill() {
    const IoResult result = body_->next(run_);
    waits_for_client_ = result.status == IoStatus::kWouldBlock;
    client_failed_ = result.status == IoStatus::kError;
    if (result.status == IoStatus::kEof) {
      ended_ = true;
      if (body_->chunked()) out_.add("0\r\n\r\n");
      return {};
    }
    if (result.status != IoStatus::kOk) return result;
    if (body_->chunked()) {
      auto* const end = std::to_chars(size_line_.data(), size_line_.data() + 16, run_.size(), 16).ptr;
      end[0] = '\r';
      end[1] = '\n';
      out_.add({size_line_.data(), static_cast<std::size_t>(end + 2 - size_line_.data())});
      out_.add(run_);
      out_.add("\r\n");
    } else {
      out_.add(run_);
    }
    return {};
  }

  UpstreamConnection& connection_;
  BodySource* body_;
  Outgoing out_;
  std::string_view run_;
  std::string head_;
  std::array<char, 20> size_line_ = {};
  std::uint64_t sent_ = 0;
  bool ended_ = false;
  bool waits_for_client_ = false;
  bool client_failed_ = false;
  bool kept_ = false;
};

std::optional<tcp_info> ask_tcp(int fd) {
  tcp_info info = {};
  socklen_t length = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return std::nullopt;
  return info;
}

// Did the peer's kernel acknowledge any byte of the request that began after `before` bytes?  If not, no process read
// it.  tcpi_bytes_acked counts the SYN too, hence the + 1.
bool peer_got_nothing(int fd, std::uint64_t before) {
  const auto info = ask_tcp(fd);
  return info && info->tcpi_bytes_acked <= before + 1;
}

constexpr std::chrono::milliseconds kSilenceCheck{250};

// Does the peer's TCP say anything at all to a request on a connection that rested?  A slow network retransmits too,
// so one retransmission is no proof; the second comes after three times the usual wait for an acknowledgement.
class SilenceWatch {
 public:
  // To be made before the request is sent.
  SilenceWatch(UpstreamConnection& connection, const ExchangeLimits& limits, TimePoint now)
      : acked_before_(connection.sent() + 1) {
    if (!limits.may_resend || !connection.reused()) return;
    next_ = now + 2 * kSilenceCheck;
    // Under TLS more bytes travel than we count.
    if (!connection.stream().tls()) return;
    if (const auto info = ask_tcp(connection.stream().socket().fd())) acked_before_ = info->tcpi_bytes_acked;
  }
  TimePoint until(TimePoint limit) const { return std::min(limit, next_); }
  // Call after a wait that timed out; true: nobody is there.
  bool lost(int fd, TimePoint now, bool any_answer) {
    if (now < next_) return false;
    if (any_answer) next_ = TimePoint::max();
    if (any_answer) return false;
    const auto info = ask_tcp(fd);
    const bool heard = !info || info->tcpi_bytes_acked > acked_before_;
    next_ = heard ? TimePoint::max() : now + kSilenceCheck;
    return !heard && info->tcpi_retransmits >= 2;
  }

 private:
  std::uint64_t acked_before_;
  TimePoint next_ = TimePoint::max();
};

enum class HeadStep : std::uint8_t { kDone, kMore, kBad, kTooMany };

// Looks for a final head in what was read; drops interim ones, of which `interim` may still come.
HeadStep parse_answer(MessageSlot& slot, bool head_method, int& interim) {
  for (;;) {
    if (slot.begin == slot.end) {
      slot.begin = slot.end = 0;
      return HeadStep::kMore;
    }
    const ParseStatus status = slot.head.parse_response(slot.unread(), head_method);
    if (status == ParseStatus::kNeedMore) return HeadStep::kMore;
    if (status == ParseStatus::kError) return HeadStep::kBad;
    slot.begin += slot.head.size();
    if (slot.head.status() >= 200 || slot.head.status() == 101) return HeadStep::kDone;
    if (--interim < 0) return HeadStep::kTooMany;
  }
}

// One try at reading the head.  kOk: it is complete.  kWouldBlock: wait.  kEof/kError: closed.  EPROTO: not HTTP.
IoResult pull(Stream& stream, MessageSlotPtr& answer, bool head_method, bool& any_answer, int& interim) {
  for (;;) {
    if (!answer) {
      // An upstream that is still thinking must not cost a buffer.
      if (!stream.tls() && (stream.socket().ready() & kRead) == 0)
        return {.status = IoStatus::kWouldBlock, .want = kRead};
      answer = lease_slot();
    }
    if (answer->begin > 0 && answer->end == answer->buffer.capacity()) {
      const std::string_view rest = answer->unread();
      std::copy(rest.begin(), rest.end(), answer->buffer.data());
      answer->begin = 0;
      answer->end = rest.size();
    }
    const IoResult result = answer->read_more(stream, Buffer::kMedium);
    if (result.status == IoStatus::kError && result.error == EMSGSIZE)
      return {.status = IoStatus::kError, .error = EPROTO};
    if (result.status != IoStatus::kOk) {
      if (!any_answer) answer.reset();
      return result;
    }
    // A head is complete, or wrong, at the end of a line; a parse per line bounds the work of a slow sender.
    const char* fresh = answer->buffer.data() + answer->end - result.bytes;
    if (any_answer && answer->end < kMaxHeadBytes && std::memchr(fresh, '\n', result.bytes) == nullptr) continue;
    any_answer = true;
    switch (parse_answer(*answer, head_method, interim)) {
      case HeadStep::kDone:
        return {};
      case HeadStep::kBad:
        return {.status = IoStatus::kError, .error = EPROTO};
      case HeadStep::kTooMany:
        return {.status = IoStatus::kError, .error = E2BIG};
      case HeadStep::kMore:
        break;
    }
  }
}

}  // namespace

Task<ExchangeResult> exchange(UpstreamConnection& connection, ExchangeRequest request, ClientWatch& client,
                              MessageSlotPtr& answer) {
  Stream& stream = connection.stream();
  Worker& worker = stream.worker();
  const std::uint64_t sent_before = connection.sent();
  SilenceWatch silence(connection, request.limits, worker.now());
  Sender sender(connection, request);
  ExchangeResult result;
  IoResult pushed = sender.prime();
  if (pushed.status != IoStatus::kError) pushed = sender.push();
  bool sending = !sender.done();
  int interim = request.limits.most_interim;
  TimePoint deadline = worker.now() + (sending ? request.limits.send : request.limits.first_byte);
  for (bool first = true;; first = false) {
    result.sent = sender.sent();
    result.complete = sender.done();
    if (sending && sender.client_failed()) {
      result.end = ExchangeEnd::kClientBody;
      result.error = pushed.error;
      co_return result;
    }
    // Also after a failed write: the upstream may have answered before it closed.
    const IoResult pulled = pull(stream, answer, request.head_method, result.any_answer, interim);
    if (pulled.status == IoStatus::kOk) co_return result;
    const bool write_failed = sending && pushed.status == IoStatus::kError;
    if (pulled.status != IoStatus::kWouldBlock || (write_failed && stream.socket().dead())) {
      const bool protocol = pulled.error == EPROTO || pulled.error == E2BIG;
      result.end = protocol && pulled.status == IoStatus::kError ? ExchangeEnd::kProtocol : ExchangeEnd::kClosed;
      result.error = pulled.error;
      // A reset says nothing: the peer may have read all of it.  A FIN carries the acknowledgement of what it read.
      const bool fin_first = pulled.status == IoStatus::kEof && !stream.tls() && stream.socket().open() &&
                             peer_got_nothing(stream.socket().fd(), sent_before);
      result.never_arrived = !result.any_answer && connection.reused() && (result.sent == 0 || fin_first);
      co_return result;
    }
    if (first && sending) sender.keep_head(request.head);
    const bool from_client = sending && sender.waits_for_client();
    auto interest = static_cast<std::uint8_t>(pulled.want | kRead);
    if (sending && !from_client && !write_failed) interest = static_cast<std::uint8_t>(interest | pushed.want);
    const Watch other = from_client ? Watch{&client.socket(), kRead} : client.watch();
    TimePoint limit = std::min(deadline, request.limits.total);
    if (from_client) limit = std::min(request.body->deadline(), request.limits.total);
    const TimePoint wake = silence.until(client.until(limit));
    const WaitEnd end = co_await wait_for_any({&stream.socket(), interest}, other, wake);
    if (end == WaitEnd::kCancelled) {
      result.end = ExchangeEnd::kCancelled;
      co_return result;
    }
    if (!from_client && client.gone()) {
      result.end = ExchangeEnd::kClientGone;
      co_return result;
    }
    if (end == WaitEnd::kTimeout && worker.now() >= limit) {
      result.end = worker.now() >= request.limits.total ? ExchangeEnd::kTotal
                   : from_client                        ? ExchangeEnd::kClientBody
                   : sending                            ? ExchangeEnd::kSend
                                                        : ExchangeEnd::kFirstByte;
      result.error = from_client ? ETIMEDOUT : 0;
      co_return result;
    }
    if (end == WaitEnd::kTimeout && silence.lost(stream.socket().fd(), worker.now(), result.any_answer)) {
      result.end = ExchangeEnd::kClosed;
      result.error = ETIMEDOUT;
      co_return result;
    }
    if (sending && !write_failed) {
      const std::uint64_t before = sender.sent();
      pushed = sender.push();
      if (sender.done()) {
        sending = false;
        deadline = worker.now() + request.limits.first_byte;
      } else if (sender.sent() > before) {
        deadline = worker.now() + request.limits.send;
      }
    }
  }
}

}  // namespace akr::net
