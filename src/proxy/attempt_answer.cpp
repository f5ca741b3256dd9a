// What an answer says before any of its bytes goes down: the bodies of errors, good answers that are none, and the
// first event of a stream.
#include <algorithm>

#include "base/strings.hpp"
#include "proxy/attempts.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostHeld = 64 * 1024;
constexpr std::chrono::seconds kBodyWait{1};

bool is_event_stream(const net::MessageHead& head) {
  return istarts_with(head.find(net::FieldId::kContentType), "text/event-stream");
}

bool is_json(const net::MessageHead& head) {
  return istarts_with(head.find(net::FieldId::kContentType), "application/json");
}

// Decodes what is there behind the body's bytes that were taken before.
void take_decoded(Attempt& attempt, std::string_view& input) {
  for (;;) {
    std::string_view data;
    const auto event = attempt.body.next(input, data);
    if (event != net::BodyDecoder::Event::kData) return;
    attempt.held += data;
  }
}

// Moves what came with the head into `held`.
void hold_unread(Attempt& attempt) {
  net::MessageSlot& slot = *attempt.answer;
  std::string_view input = slot.unread();
  take_decoded(attempt, input);
  slot.begin = slot.end - input.size();
}

// A stream must not keep its client without a byte for longer than its comments would.
TimePoint end_of_hold(const RequestContext& ctx, TimePoint now) {
  const auto first_byte = ctx.service().config.timeouts.first_byte;
  const auto longest = ctx.longest_hold.count() > 0 ? std::min(first_byte, ctx.longest_hold) : first_byte;
  return std::min(now + longest, ctx.deadline);
}

}  // namespace

net::Task<void> Attempts::judge_answer(RequestContext& ctx, Attempt& attempt) {
  const net::MessageHead& head = attempt.answer->head;
  const int status = head.status();
  if (status >= 400) {
    co_await read_beginning(attempt);
    settle(attempt, judge_error(ctx, head, attempt.held));
    co_return;
  }
  std::optional<Judgement> bad;
  if (ctx.format != nullptr && status == 200 && is_event_stream(head)) {
    FirstEvent first;
    const bool seen = co_await read_first_event(ctx, attempt, first);
    if (attempt.error) co_return;
    if (seen) bad = judge_event(ctx, head, first.event());
    if (bad) hold_unread(attempt);
  } else if (ctx.service().rules && status < 300 && ctx.service().rules->looks_at_body_of(status)) {
    co_await read_beginning(attempt);
    bad = judge_success(ctx, head, attempt.held);
  } else if (ctx.format != nullptr && status < 300 && is_json(head)) {
    bad = look_at_whole(ctx, attempt);
  }
  if (bad) settle(attempt, *std::move(bad));
  if (!bad) accept(ctx, attempt);
}

// The beginning of a body tells what the status does not; it waits in `held` until it has been judged.
net::Task<void> Attempts::read_beginning(Attempt& attempt) {
  const TimePoint deadline = worker_.now() + kBodyWait;
  hold_unread(attempt);
  net::Buffer more;
  while (!attempt.body.finished() && attempt.held.size() < kMostHeld && attempt.answer->unread().empty()) {
    if (!more) more = net::Buffer::lease(net::Buffer::kMedium);
    const net::IoResult result =
        co_await net::read_some(attempt.connection.stream(), more.data(), more.capacity(), deadline);
    if (result.status == net::IoStatus::kEof) attempt.body.end_of_stream();
    if (result.status != net::IoStatus::kOk) break;
    std::string_view input = {more.data(), result.bytes};
    take_decoded(attempt, input);
    // Bytes behind the body's end, or a framing that is broken: nothing that another request should meet.
    if (!input.empty()) attempt.connection.forbid_reuse();
    if (!input.empty()) break;
  }
}

// True: `first` holds the first event.  False: there is none (yet), and the stream is to be relayed as it is, or
// attempt.error says why there is nothing to relay.
net::Task<bool> Attempts::read_first_event(RequestContext& ctx, Attempt& attempt, FirstEvent& first) {
  // Nearly always the event came with the head: then nothing is copied.
  net::BodyDecoder decoder = attempt.body;
  std::string_view input = attempt.answer->unread();
  std::string_view data;
  if (decoder.next(input, data) == net::BodyDecoder::Event::kData && first.scan(data)) co_return true;
  first = FirstEvent();
  hold_unread(attempt);
  const TimePoint deadline = end_of_hold(ctx, worker_.now());
  net::Stream& stream = attempt.connection.stream();
  net::ClientWatch watch(ctx.client.socket());
  net::Buffer block;
  for (;;) {
    if (first.scan(attempt.held)) co_return true;
    if (attempt.body.finished() || attempt.held.size() >= kMostHeld || !attempt.answer->unread().empty())
      co_return false;
    if (!block) block = net::Buffer::lease(net::Buffer::kMedium);
    const net::IoResult got = stream.try_read(block.data(), block.capacity());
    net::ExchangeResult failed = {.sent = 1, .complete = true};
    if (got.status == net::IoStatus::kOk) {
      input = {block.data(), got.bytes};
      take_decoded(attempt, input);
      if (input.empty()) continue;
      attempt.connection.forbid_reuse();
      if (attempt.body.finished()) continue;
      failed.end = net::ExchangeEnd::kProtocol;
    } else if (got.status == net::IoStatus::kWouldBlock) {
      block.release();  // a stream that waits costs no buffer
      const net::WaitEnd end =
          co_await net::wait_for_any({&stream.socket(), got.want}, watch.watch(), watch.until(deadline));
      if (end != net::WaitEnd::kCancelled && !watch.gone() && worker_.now() < deadline) continue;
      if (end != net::WaitEnd::kCancelled && !watch.gone() && worker_.now() < ctx.deadline) co_return false;
      failed.end = end == net::WaitEnd::kCancelled ? net::ExchangeEnd::kCancelled
                   : watch.gone()                  ? net::ExchangeEnd::kClientGone
                                                   : net::ExchangeEnd::kTotal;
    } else {
      if (got.status == net::IoStatus::kEof && attempt.body.end_of_stream()) continue;
      failed.end = net::ExchangeEnd::kClosed;
    }
    judge_failure(ctx, failed, attempt);
    co_return false;
  }
}

// A short JSON answer that is here already; a longer one is streamed without a look.
std::optional<Judgement> Attempts::look_at_whole(const RequestContext& ctx, Attempt& attempt) {
  net::MessageSlot& slot = *attempt.answer;
  const std::string_view unread = slot.unread();
  if (unread.size() > kMostHeld || attempt.body.length_left() > unread.size()) return std::nullopt;
  net::BodyDecoder decoder = attempt.body;
  std::string_view input = unread;
  std::string_view body;
  std::string_view data;
  std::string joined;
  while (decoder.next(input, data) == net::BodyDecoder::Event::kData) {
    if (body.empty()) {
      body = data;
      continue;
    }
    if (joined.empty()) joined = body;
    joined += data;
    body = joined;
  }
  if (!decoder.finished()) return std::nullopt;
  auto bad = judge_success(ctx, slot.head, body);
  if (bad) hold_unread(attempt);
  return bad;
}

}  // namespace akr
