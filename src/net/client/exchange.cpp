#include "net/client/exchange.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
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
  // Emulated kernels tell the first members only.  The zeros behind them would mean that nobody acknowledged anything.
  constexpr std::size_t kTold = offsetof(tcp_info, tcpi_bytes_acked) + sizeof(tcp_info::tcpi_bytes_acked);
  return length < kTold ? std::nullopt : std::optional(info);
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

// Sends, and reads at the same time; lives in the coroutine's frame.
class Exchange {
 public:
  Exchange(UpstreamConnection& connection, const ExchangeRequest& request, ClientWatch* client, MessageSlotPtr& answer)
      : connection_(connection),
        stream_(connection.stream()),
        worker_(stream_.worker()),
        request_(request),
        client_(client),
        answer_(answer),
        sent_before_(connection.sent()),
        silence_(connection, request.limits, worker_.now()),
        sender_(connection, request),
        interim_(request.limits.most_interim) {
    pushed_ = sender_.prime();
    if (pushed_.status != IoStatus::kError) pushed_ = sender_.push();
    sending_ = !sender_.done();
    deadline_ = worker_.now() + (sending_ ? request.limits.send : request.limits.first_byte);
  }

  const ExchangeResult& result() const { return result_; }

  // Reads what is there.  True: it is over.
  bool look() {
    result_.sent = sender_.sent();
    result_.complete = sender_.done();
    if (sending_ && sender_.client_failed()) return over(ExchangeEnd::kClientBody, pushed_.error);
    // Also after a failed write: the upstream may have answered before it closed.
    const IoResult pulled = pull(stream_, answer_, request_.head_method, result_.any_answer, interim_);
    if (pulled.status == IoStatus::kOk) return true;
    if (pulled.status != IoStatus::kWouldBlock || (write_failed() && stream_.socket().dead())) return closed(pulled);
    upstream_wants_ = pulled.want;
    if (!waited_ && sending_) sender_.keep_head(request_.head);
    return false;
  }

  struct Wait {
    Watch upstream;
    Watch client;
    TimePoint until;
  };
  // For whom, after look() has said that it goes on.
  Wait next_wait() {
    waited_ = true;
    from_client_ = sending_ && sender_.waits_for_client();
    auto interest = static_cast<std::uint8_t>(upstream_wants_ | kRead);
    if (sending_ && !from_client_ && !write_failed()) interest = static_cast<std::uint8_t>(interest | pushed_.want);
    limit_ = std::min(from_client_ ? request_.body->deadline() : deadline_, request_.limits.total);
    Wait wait{.upstream = {&stream_.socket(), interest}, .client = {}, .until = silence_.until(limit_)};
    if (client_ == nullptr) return wait;
    wait.client = from_client_ ? Watch{&client_->socket(), kRead} : client_->watch();
    wait.until = silence_.until(client_->until(limit_));
    return wait;
  }

  // True: it is over.  False: there may be something to send or to read.
  bool ended_by(WaitEnd end) {
    if (end == WaitEnd::kCancelled) return over(ExchangeEnd::kCancelled);
    if (client_ != nullptr && !from_client_ && client_->gone()) return over(ExchangeEnd::kClientGone);
    if (end != WaitEnd::kTimeout) return false;
    if (worker_.now() >= limit_) return over(timer_that_fired(), from_client_ ? ETIMEDOUT : 0);
    if (!silence_.lost(stream_.socket().fd(), worker_.now(), result_.any_answer)) return false;
    return over(ExchangeEnd::kClosed, ETIMEDOUT);
  }

  void send_on() {
    if (!sending_ || write_failed()) return;
    const std::uint64_t before = sender_.sent();
    pushed_ = sender_.push();
    if (sender_.done()) {
      sending_ = false;
      deadline_ = worker_.now() + request_.limits.first_byte;
    } else if (sender_.sent() > before) {
      deadline_ = worker_.now() + request_.limits.send;
    }
  }

 private:
  bool write_failed() const { return sending_ && pushed_.status == IoStatus::kError; }

  bool over(ExchangeEnd end, int error = 0) {
    result_.end = end;
    result_.error = error;
    return true;
  }

  bool closed(const IoResult& pulled) {
    const bool protocol = pulled.error == EPROTO || pulled.error == E2BIG;
    // A reset says nothing: the peer may have read all of it.  A FIN carries the acknowledgement of what it read.
    const bool fin_first = pulled.status == IoStatus::kEof && !stream_.tls() && stream_.socket().open() &&
                           peer_got_nothing(stream_.socket().fd(), sent_before_);
    result_.never_arrived = !result_.any_answer && connection_.reused() && (result_.sent == 0 || fin_first);
    return over(protocol && pulled.status == IoStatus::kError ? ExchangeEnd::kProtocol : ExchangeEnd::kClosed,
                pulled.error);
  }

  ExchangeEnd timer_that_fired() const {
    if (worker_.now() >= request_.limits.total) return ExchangeEnd::kTotal;
    if (from_client_) return ExchangeEnd::kClientBody;
    return sending_ ? ExchangeEnd::kSend : ExchangeEnd::kFirstByte;
  }

  UpstreamConnection& connection_;
  Stream& stream_;
  Worker& worker_;
  const ExchangeRequest& request_;
  ClientWatch* const client_;
  MessageSlotPtr& answer_;
  const std::uint64_t sent_before_;
  SilenceWatch silence_;
  Sender sender_;
  int interim_;
  ExchangeResult result_;
  IoResult pushed_;
  bool sending_ = false;
  bool waited_ = false;
  bool from_client_ = false;  // the last wait was for the client's body
  std::uint8_t upstream_wants_ = 0;
  TimePoint deadline_;
  TimePoint limit_;  // of the last wait, but for its early ends
};

}  // namespace

Task<ExchangeResult> exchange(UpstreamConnection& connection, ExchangeRequest request, ClientWatch* client,
                              MessageSlotPtr& answer) {
  Exchange exchange(connection, request, client, answer);
  while (!exchange.look()) {
    const auto wait = exchange.next_wait();
    const WaitEnd end = co_await wait_for_any(wait.upstream, wait.client, wait.until);
    if (exchange.ended_by(end)) break;
    exchange.send_on();
  }
  co_return exchange.result();
}

}  // namespace akr::net
