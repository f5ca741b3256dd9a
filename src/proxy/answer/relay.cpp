#include "proxy/answer/relay.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>

#include "base/strings.hpp"
#include "net/http/content_decoder.hpp"
#include "net/loop/splice_pipe.hpp"
#include "net/loop/worker.hpp"
#include "proxy/answer/answer_pump.hpp"
#include "proxy/answer/error_reply.hpp"
#include "proxy/attempt/upstream_health.hpp"
#include "proxy/request/headers.hpp"

namespace akr {
namespace {

Framing choose_framing(const RequestContext& ctx, const Attempt& attempt) {
  if (attempt.plain) return Framing::kLength;
  switch (attempt.answer->head.body_kind()) {
    case net::BodyKind::kNone:
      return Framing::kNone;
    case net::BodyKind::kLength:
      return Framing::kLength;
    case net::BodyKind::kChunked:
    case net::BodyKind::kUntilClose:
      break;
  }
  return ctx.client.head().minor_version() == 0 ? Framing::kClose : Framing::kChunked;
}

std::string& head_text() {
  thread_local std::string text;
  text.clear();
  return text;
}

// The state of one answer being relayed; the coroutine below moves it.
class Relay {
 public:
  Relay(RequestContext& ctx, Attempt& attempt, RelaySettings settings)
      : ctx_(ctx),
        client_(ctx.client),
        attempt_(attempt),
        settings_(settings),
        framing_(choose_framing(ctx, attempt)),
        mask_(attempt.is_error() ? std::make_unique<KeyMaskStream>(attempt.lease.key().secret.expose()) : nullptr),
        pump_(attempt.body, framing_, attempt.tap.get(), mask_.get()),
        watch_(client_.socket()),
        upstream_keeps_alive_(attempt.answer->head.keep_alive()),
        packed_(attempt.answer->head.has(net::FieldId::kContentEncoding) && !attempt.plain &&
                !net::content_codings(attempt.answer->head).none()) {}

  enum class Step : std::uint8_t { kAgain, kWaitClient, kWaitUpstream, kDone, kClientGone, kCut };

  // Everything that can go down now: head, what came with it.
  void begin() {
    const net::MessageHead& head = attempt_.answer->head;
    ctx_.status = head.status();
    ctx_.from_upstream = true;
    ctx_.streamed = !attempt_.plain && istarts_with(head.find(net::FieldId::kContentType), "text/event-stream");
    if (framing_ == Framing::kClose || !client_.body_finished()) client_.forbid_keep_alive();
    std::string& text = head_text();
    const AnswerShape shape = {.framing = framing_,
                               .keep_alive = client_.keep_alive(),
                               .plain = attempt_.plain ? &*attempt_.plain : nullptr,
                               .retry_in = attempt_.retry_in};
    compose_answer_head(ctx_, head, shape, attempt_.lease.key().secret.expose(), text);
    out_.add(text);
    pump_.add_decoded(attempt_.held, out_);
    input_ = attempt_.answer->unread();
    touch();
    client_.mark_answered();
    if (attempt_.held.empty() && !input_.empty()) {
      broken_ = !pump_.feed(input_, out_);
    } else {
      pump_.finish_if_complete(out_);
    }
  }

  Step step() {
    if (out_.left() > 0) {
      const net::IoResult sent = out_.try_send(client_.stream());
      want_ = sent.want;
      if (sent.status == net::IoStatus::kError) return Step::kClientGone;
      if (sent.status == net::IoStatus::kWouldBlock) return Step::kWaitClient;
      last_down_ = worker().now();
    }
    if (pipe_.held() > 0) return drain_pipe();
    if (broken_) return Step::kCut;
    if (pump_.done()) return Step::kDone;
    if (!input_.empty()) {
      broken_ = !pump_.feed(input_, out_);
      return Step::kAgain;
    }
    if (pipe_.open() || worth_splicing()) return fill_pipe();
    return read();
  }

  // Long bodies of known length go from socket to socket inside the kernel; their bytes are nobody's business here.
  bool worth_splicing() {
    constexpr std::uint64_t kLongBody = 128 * 1024;
    net::Stream& upstream = attempt_.connection.stream();
    if (mask_) return false;
    if (attempt_.tap != nullptr && !attempt_.tap->done()) return false;  // it wants the bytes
    if (spliced_ || framing_ != Framing::kLength || attempt_.body.length_left() < kLongBody) return false;
    spliced_ = true;  // asked once per answer
    if (upstream.tls() || client_.stream().tls()) return false;
    pipe_ = net::SplicePipe::lease();
    return pipe_.open();
  }

  Step fill_pipe() {
    const net::IoResult got = pipe_.fill(attempt_.connection.stream().socket(), attempt_.body.length_left());
    want_ = got.want;
    if (got.status == net::IoStatus::kWouldBlock) return Step::kWaitUpstream;
    if (got.status != net::IoStatus::kOk) return Step::kCut;
    pump_.note_spliced(got.bytes);
    touch();
    return Step::kAgain;
  }

  Step drain_pipe() {
    const net::IoResult sent = pipe_.drain(client_.socket());
    want_ = sent.want;
    if (sent.status == net::IoStatus::kWouldBlock) return Step::kWaitClient;
    return sent.status == net::IoStatus::kOk ? Step::kAgain : Step::kClientGone;
  }

  Step read() {
    net::Stream& stream = attempt_.connection.stream();
    if (!stream.tls() && (stream.socket().ready() & net::kRead) == 0) {
      want_ = net::kRead;
      return Step::kWaitUpstream;
    }
    if (!block_) block_ = net::Buffer::lease(bulk_ ? net::Buffer::kLarge : net::Buffer::kMedium);
    const net::IoResult got = stream.try_read(block_.data(), block_.capacity());
    want_ = got.want;
    if (got.status == net::IoStatus::kWouldBlock) return Step::kWaitUpstream;
    if (got.status == net::IoStatus::kEof) return pump_.end_of_stream(out_) ? Step::kAgain : Step::kCut;
    if (got.status == net::IoStatus::kError) return Step::kCut;
    touch();
    input_ = {block_.data(), got.bytes};
    if (got.bytes == block_.capacity() && !bulk_) bulk_ = grow_ = true;
    return Step::kAgain;
  }

  // Before a wait for the upstream nothing of the answer is in memory: give all of it back.
  void rest() {
    block_.release();
    pump_.rest();
    attempt_.answer.reset();
    attempt_.held = {};
    if (!head_released_) {
      head_released_ = true;
      ctx_.keep_for_log();
      client_.release_head();
    }
  }

  // Before a wait for the client: the pieces that still go down may lie in memory shared by all requests.
  void hold() {
    if (head_pending_ && held_.empty()) out_.hold(held_);
  }

  void after_turn() {
    if (out_.left() == 0) {
      held_.clear();
      head_pending_ = false;
    }
    if (grow_ && out_.left() == 0 && input_.empty()) {
      block_.release();
      grow_ = false;
    }
  }

  TimePoint upstream_deadline() {
    const Timeouts& timeouts = attempt_.by.service->config.timeouts;
    TimePoint deadline = std::min(last_up_ + timeouts.stream_idle, ctx_.deadline);
    if (keepalive_possible()) deadline = std::min(deadline, last_down_ + settings_.sse_keepalive);
    return watch_.until(deadline);
  }

  // After a wait for the upstream that ran into a deadline.  kAgain: it was only the comment's turn.
  Step on_deadline() {
    const TimePoint now = worker().now();
    const Timeouts& timeouts = attempt_.by.service->config.timeouts;
    if (watch_.gone()) return Step::kClientGone;
    if (now >= ctx_.deadline) return timer_fired("total", ctx_.total);
    if (now >= last_up_ + timeouts.stream_idle) return timer_fired("stream_idle", timeouts.stream_idle);
    if (keepalive_possible() && now >= last_down_ + settings_.sse_keepalive) {
      add_keep_alive();
      last_down_ = now;
    }
    return Step::kAgain;
  }

  // The upstream was not listened to while the client was waited for.
  void listen_again() { last_up_ = worker().now(); }

  TimePoint client_deadline(const net::ReaderPatience& patience) const {
    return std::min(patience.deadline(), ctx_.deadline);
  }
  bool total_over() { return worker().now() >= ctx_.deadline; }
  // The client took nothing until then.
  Step on_client_deadline() { return total_over() ? timer_fired("total", ctx_.total) : Step::kClientGone; }

  // A cut that an LLM stream's reader can understand: one error event, then no clean end (D32).
  void add_error_event() {
    if (!ctx_.streamed || packed_ || ctx_.client_speaks == nullptr || !pump_.at_event_boundary()) return;
    held_ = stream_error_event(ctx_);
    if (framing_ == Framing::kChunked) {
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", held_.size());
      held_ = size + held_ + "\r\n";
    }
    out_ = net::Outgoing();
    out_.add(held_);
    client_.socket().allow_last_words();
    out_.try_send(client_.stream());
  }

  void finish(Step end) {
    ctx_.bytes_out = pump_.bytes();
    if (const auto tokens = attempt_.tap != nullptr ? attempt_.tap->finish() : std::nullopt)
      attempt_.lease.count_tokens(*tokens, worker().now());
    if (end == Step::kDone) {
      if (upstream_keeps_alive_ && input_.empty()) attempt_.connection.mark_reusable();
      return;
    }
    const bool client_left = end == Step::kClientGone;
    report_broken(ctx_, attempt_, client_left ? AttemptEnd::kClientGone : AttemptEnd::kInterrupted, worker().now());
    ctx_.cut = true;
    if (client_left) {
      ctx_.status = 499;
      ctx_.detail = "the client left during the answer";
    } else {
      if (ctx_.detail.empty()) ctx_.detail = "the upstream cut its answer";
      add_error_event();
    }
    client_.mark_broken(framing_ == Framing::kClose);
  }

  net::Worker& worker() { return client_.worker(); }
  net::ClientWatch& watch() { return watch_; }
  std::uint8_t want() const { return want_; }

 private:
  void touch() {
    last_up_ = worker().now();
    last_down_ = last_up_;
  }
  bool keepalive_possible() const {
    return ctx_.streamed && !packed_ && settings_.sse_keepalive.count() > 0 && pump_.at_event_boundary() &&
           framing_ != Framing::kLength && !keep_alive().empty();
  }
  // What the client passes over, in the dialect that it speaks.
  std::string_view keep_alive() const {
    return ctx_.client_speaks != nullptr ? ctx_.client_speaks->keep_alive() : std::string_view(": keepalive\n\n");
  }
  void add_keep_alive() {
    pump_.note_insertion();
    if (framing_ != Framing::kChunked) {
      out_.add(keep_alive());
      return;
    }
    const auto size = std::to_chars(chunk_size_.data(), chunk_size_.data() + 8, keep_alive().size(), 16);
    std::copy_n("\r\n", 2, size.ptr);
    out_.add({chunk_size_.data(), static_cast<std::size_t>(size.ptr + 2 - chunk_size_.data())});
    out_.add(keep_alive());
    out_.add("\r\n");
  }
  Step timer_fired(std::string_view name, std::chrono::milliseconds value) {
    ctx_.detail =
        "timer '" + std::string(name) + "' of " + std::to_string(value.count()) + " ms fired during the answer";
    return Step::kCut;
  }

  RequestContext& ctx_;
  net::Downstream& client_;
  Attempt& attempt_;
  RelaySettings settings_;
  Framing framing_;
  std::unique_ptr<KeyMaskStream> mask_;  // errors: every byte that goes down goes through it
  AnswerPump pump_;
  net::ClientWatch watch_;
  net::Outgoing out_;
  net::Buffer block_;
  net::SplicePipe pipe_;
  std::string_view input_;
  std::string held_;
  TimePoint last_up_{};
  TimePoint last_down_{};
  std::array<char, 16> chunk_size_ = {};  // of what keeps the client waiting
  std::uint8_t want_ = 0;
  bool upstream_keeps_alive_;
  bool packed_;  // in a content coding, where text of ours would be damage
  bool bulk_ = false;
  bool grow_ = false;
  bool broken_ = false;
  bool spliced_ = false;
  bool head_released_ = false;
  bool head_pending_ = true;  // the head's text is still in out_
};

}  // namespace

net::Task<Result<void>> relay(RequestContext& ctx, Attempt& attempt, RelaySettings settings) {
  Relay state(ctx, attempt, settings);
  state.begin();
  net::Socket& client = ctx.client.socket();
  net::Socket& upstream = attempt.connection.stream().socket();
  for (;;) {
    Relay::Step step = state.step();
    if (step == Relay::Step::kWaitClient) {
      state.hold();
      net::ReaderPatience patience(client.worker(), ctx.client.limits().send_timeout);
      net::WaitEnd end = co_await net::wait_for(client, state.want(), state.client_deadline(patience));
      while (end == net::WaitEnd::kTimeout && !state.total_over() && !patience.over(client)) {
        end = co_await net::wait_for(client, state.want(), state.client_deadline(patience));
      }
      if (end == net::WaitEnd::kReady) state.listen_again();
      if (end == net::WaitEnd::kTimeout) step = state.on_client_deadline();
      if (end == net::WaitEnd::kCancelled) step = Relay::Step::kClientGone;
    } else if (step == Relay::Step::kWaitUpstream) {
      state.rest();
      const net::WaitEnd end =
          co_await net::wait_for_any({&upstream, state.want()}, state.watch().watch(), state.upstream_deadline());
      step = end == net::WaitEnd::kCancelled ? Relay::Step::kCut
             : end == net::WaitEnd::kTimeout ? state.on_deadline()
             : state.watch().gone()          ? Relay::Step::kClientGone
                                             : Relay::Step::kAgain;
    }
    if (step == Relay::Step::kDone || step == Relay::Step::kClientGone || step == Relay::Step::kCut) {
      state.finish(step);
      co_return Result<void>();
    }
    state.after_turn();
  }
}

}  // namespace akr
