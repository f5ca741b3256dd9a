// What an answer says before any of its bytes goes down: the bodies of errors, good answers that are none, and the
// first event of a stream.
#include <algorithm>

#include "base/strings.hpp"
#include "core/mask/key_mask.hpp"
#include "net/http/content_decoder.hpp"
#include "proxy/attempt/attempts.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostHeld = 64 * 1024;
constexpr std::chrono::seconds kBodyWait{1};
// An answer that may turn out empty is held back for so long (D33).
constexpr std::size_t kMostEmptyHeld = 16 * 1024;
constexpr std::chrono::seconds kEmptyWait{2};

bool is_event_stream(const net::MessageHead& head) {
  return istarts_with(head.find(net::FieldId::kContentType), "text/event-stream");
}

bool is_json(const net::MessageHead& head) {
  return istarts_with(head.find(net::FieldId::kContentType), "application/json");
}

// The upstream's answer all the same if nothing better comes.
Judgement empty_response(int status) {
  Judgement judgement{.status = status};
  judgement.verdict = {.retry = RetryAdvice::kNextKey, .endpoint = EndpointEffect::kOk, .reason = "empty_response"};
  return judgement;
}

// A stream must not keep its client without a byte for longer than its comments would.
TimePoint end_of_hold(const RequestContext& ctx, TimePoint now) {
  const auto first_byte = ctx.service().config.timeouts.first_byte;
  const auto longest = ctx.longest_hold.count() > 0 ? std::min(first_byte, ctx.longest_hold) : first_byte;
  return std::min(now + longest, ctx.deadline);
}

}  // namespace

void Attempt::hold(std::string_view& input) {
  for (;;) {
    std::string_view data;
    if (body.next(input, data) != net::BodyDecoder::Event::kData) return;
    held += data;
  }
}

void Attempt::hold_unread() {
  std::string_view input = answer->unread();
  hold(input);
  answer->begin = answer->end - input.size();
}

std::string Attempt::legible() const {
  net::DecodedBody decoded = net::decode_content(net::content_codings(answer->head), held, kMostHeld);
  std::string text = std::move(decoded.text);
  // Some say gzip and send none.
  if (decoded.end == net::DecodedEnd::kBroken && text.empty()) text = held;
  KeyMask(lease.key().secret.expose()).mask(text, KeyMask::End::kCut);
  return text;
}

net::Task<void> Attempts::judge_answer(RequestContext& ctx, Attempt& attempt) {
  const net::MessageHead& head = attempt.answer->head;
  const int status = head.status();
  if (status >= 400) {
    co_await read_beginning(attempt, kMostHeld, kBodyWait);
    settle(attempt, judge_error(ctx, head, attempt.legible()));
    co_return;
  }
  std::optional<Judgement> bad;
  const bool look_for_content = ctx.upstream_speaks && ctx.service().config.retry_on_empty && status == 200;
  bool empty = false;
  if (ctx.upstream_speaks && status == 200 && is_event_stream(head)) {
    FirstEvent first;
    const bool seen = co_await read_first_event(ctx, attempt, first);
    if (attempt.error) co_return;
    if (seen) bad = judge_event(ctx, head, first.event());
    if (bad) attempt.hold_unread();
    if (!bad && look_for_content) empty = co_await is_empty_stream(ctx, attempt, first, seen);
    if (attempt.error) co_return;
  } else if (ctx.service().rules && status < 300 && ctx.service().rules->looks_at_body_of(status)) {
    co_await read_beginning(attempt, kMostHeld, kBodyWait);
    bad = judge_success(ctx, head, attempt.held);
  } else if (ctx.upstream_speaks && status < 300 && is_json(head)) {
    bad = look_at_whole(ctx, attempt);
  }
  if (!bad && look_for_content && is_json(head)) empty = co_await is_empty_body(ctx, attempt);
  if (empty) bad = empty_response(status);
  if (bad) settle(attempt, *std::move(bad));
  if (!bad) accept(attempt);
}

// The beginning of a body tells what the status does not; it waits in `held` until it has been judged.
net::Task<void> Attempts::read_beginning(Attempt& attempt, std::size_t most, Duration longest) {
  const TimePoint deadline = worker_.now() + longest;
  attempt.hold_unread();
  net::Buffer more;
  while (!attempt.body.finished() && attempt.held.size() < most && attempt.answer->unread().empty()) {
    if (!more) more = net::Buffer::lease(net::Buffer::kMedium);
    const net::IoResult result =
        co_await net::read_some(attempt.connection.stream(), more.data(), more.capacity(), deadline);
    if (result.status == net::IoStatus::kEof) attempt.body.end_of_stream();
    if (result.status != net::IoStatus::kOk) break;
    std::string_view input = {more.data(), result.bytes};
    attempt.hold(input);
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
  attempt.hold_unread();
  const StreamLook look = {.event = first, .most = kMostHeld, .deadline = end_of_hold(ctx, worker_.now())};
  co_return co_await hold_stream(ctx, attempt, look);
}

bool Attempts::found(const StreamLook& look, std::string_view stream) {
  while (look.event.scan(stream)) {
    if (look.content_of == nullptr || !look.content_of->is_empty_event(look.event.event())) return true;
    look.event.next();
  }
  return false;
}

// Reads on until it is found.  False: not in what came in time, or attempt.error says why there is nothing to relay.
net::Task<bool> Attempts::hold_stream(RequestContext& ctx, Attempt& attempt, StreamLook look) {
  std::string_view input;
  net::Stream& stream = attempt.connection.stream();
  net::ClientWatch watch(ctx.client.socket());
  net::Buffer block;
  for (;;) {
    if (found(look, attempt.held)) co_return true;
    if (attempt.body.finished() || attempt.held.size() >= look.most || !attempt.answer->unread().empty())
      co_return false;
    if (!block) block = net::Buffer::lease(net::Buffer::kMedium);
    const net::IoResult got = stream.try_read(block.data(), block.capacity());
    net::ExchangeResult failed = {.sent = 1, .complete = true};
    if (got.status == net::IoStatus::kOk) {
      input = {block.data(), got.bytes};
      attempt.hold(input);
      if (input.empty()) continue;
      attempt.connection.forbid_reuse();
      if (attempt.body.finished()) continue;
      failed.end = net::ExchangeEnd::kProtocol;
    } else if (got.status == net::IoStatus::kWouldBlock) {
      block.release();  // a stream that waits costs no buffer
      const net::WaitEnd end =
          co_await net::wait_for_any({&stream.socket(), got.want}, watch.watch(), watch.until(look.deadline));
      if (end != net::WaitEnd::kCancelled && !watch.gone() && worker_.now() < look.deadline) continue;
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

net::Task<bool> Attempts::is_empty_stream(RequestContext& ctx, Attempt& attempt, FirstEvent& first, bool seen) {
  if (seen && !ctx.upstream_speaks.dialect->is_empty_event(first.event())) co_return false;
  if (seen) attempt.hold_unread();
  if (seen) first.next();
  const TimePoint now = worker_.now();
  const StreamLook look = {.event = first,
                           .content_of = ctx.upstream_speaks.dialect,
                           .most = kMostEmptyHeld,
                           .deadline = std::min(now + kEmptyWait, end_of_hold(ctx, now))};
  const bool content = seen && co_await hold_stream(ctx, attempt, look);
  if (content || attempt.error || !attempt.body.finished() || attempt.held.size() > kMostEmptyHeld) co_return false;
  // Some end without the empty line that makes the last lines an event.
  co_return !found(look, attempt.held + "\n\n");
}

net::Task<bool> Attempts::is_empty_body(RequestContext& ctx, Attempt& attempt) {
  if (!attempt.body.finished() && attempt.body.length_left() > kMostEmptyHeld) co_return false;
  co_await read_beginning(attempt, kMostEmptyHeld, kEmptyWait);
  if (!attempt.body.finished() || attempt.held.size() > kMostEmptyHeld) co_return false;
  co_return ctx.upstream_speaks.dialect->is_empty_answer(attempt.held);
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
  if (bad) attempt.hold_unread();
  return bad;
}

}  // namespace akr
