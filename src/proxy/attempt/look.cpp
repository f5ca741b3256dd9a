#include "proxy/attempt/look.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/strings.hpp"
#include "net/http/content_decoder.hpp"
#include "net/loop/worker.hpp"
#include "proxy/answer/answer_type.hpp"
#include "proxy/attempt/stream_judge.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostHeld = 64 * 1024;
constexpr std::chrono::seconds kBodyWait{1};
// A stream that has begun may be held for so long, and for so many bytes, until there is content in it; an answer that
// may turn out empty is no longer (D33).
constexpr std::size_t kMostEmpty = 16 * 1024;
constexpr std::chrono::seconds kContentWait{2};

bool has_type(const net::MessageHead& head, std::string_view type) {
  return istarts_with(head.find(net::FieldId::kContentType), type);
}

Judge judge_of(const RequestContext& ctx, const Attempt& attempt) {
  const Asked asked = {.at_once = ctx.generates, .model = ctx.generates && !ctx.model.empty()};
  return {*attempt.by.service, attempt.by.speaks, asked};
}

// The upstream's answer all the same if nothing better comes.
Judgement empty_response(int status) {
  Judgement judgement{.status = status};
  judgement.verdict = {.retry = RetryAdvice::kNextKey, .endpoint = EndpointEffect::kOk, .reason = "empty_response"};
  return judgement;
}

// An answer must not keep its client without a byte for longer than the comments of a stream would.
TimePoint end_of_hold(const RequestContext& ctx, const Attempt& attempt, TimePoint now) {
  const auto first_byte = attempt.by.service->config.timeouts.first_byte;
  const auto longest = ctx.longest_hold.count() > 0 ? std::min(first_byte, ctx.longest_hold) : first_byte;
  return std::min(now + longest, ctx.deadline);
}

// The beginning of a body that tells what the status does not.
net::Task<void> read_beginning(Attempt& attempt, TimePoint deadline) {
  attempt.hold_unread();
  net::Stream& stream = attempt.connection.stream();
  net::Buffer block;
  for (;;) {
    const net::IoResult got = attempt.hold_more(kMostHeld, block);
    if (got.status == net::IoStatus::kOk) continue;
    if (got.status != net::IoStatus::kWouldBlock) co_return;
    const net::WaitEnd end = co_await net::wait_for(stream.socket(), got.want, deadline);
    if (end != net::WaitEnd::kReady) co_return;
  }
}

enum class Held : std::uint8_t {
  kFound,    // what was looked for
  kNothing,  // it is not in what came in time
  kBroken,   // it is not in what came before the answer broke off
  kGarbled,  // nor before it was no valid HTTP any more
  kFailed,   // the attempt failed meanwhile: the client left, we stop, its time is over
};

struct HoldLimits {
  std::size_t bytes = kMostHeld;
  TimePoint deadline;
};

net::ExchangeResult ended(net::ExchangeEnd end) { return {.end = end, .sent = 1, .complete = true}; }

// Holds more and more of the body, until `found` is pleased with it.
template <class Found>
net::Task<Held> hold_until(RequestContext& ctx, Attempt& attempt, HoldLimits limits, const Found& found) {
  net::Stream& stream = attempt.connection.stream();
  net::Worker& worker = stream.worker();
  net::ClientWatch watch(ctx.client.socket());
  net::Buffer block;
  for (;;) {
    if (found(attempt.held)) co_return Held::kFound;
    const net::IoResult got = attempt.hold_more(limits.bytes, block);
    if (got.status == net::IoStatus::kOk) continue;
    // The last bytes may have come with what ended it.
    if (got.status == net::IoStatus::kEof) co_return found(attempt.held) ? Held::kFound : Held::kNothing;
    if (got.status == net::IoStatus::kError) co_return got.error == EPROTO ? Held::kGarbled : Held::kBroken;
    const net::WaitEnd end =
        co_await net::wait_for_any({&stream.socket(), got.want}, watch.watch(), watch.until(limits.deadline));
    auto failed = net::ExchangeEnd::kAnswered;
    if (watch.gone()) failed = net::ExchangeEnd::kClientGone;
    if (end == net::WaitEnd::kCancelled) failed = net::ExchangeEnd::kCancelled;
    if (failed == net::ExchangeEnd::kAnswered && worker.now() >= ctx.deadline) failed = net::ExchangeEnd::kTotal;
    if (failed != net::ExchangeEnd::kAnswered) {
      attempt.fail(ctx, ended(failed));
      co_return Held::kFailed;
    }
    if (worker.now() >= limits.deadline) co_return Held::kNothing;
  }
}

// Nearly always the event that tells came with the head: then nothing is copied.
bool told_by_first_read(const Attempt& attempt, StreamJudge& stream) {
  net::BodyDecoder decoder = attempt.body;
  std::string_view input = attempt.answer->unread();
  std::string_view data;
  return decoder.next(input, data) == net::BodyDecoder::Event::kData && stream.scan(data);
}

// False: the attempt has failed.  A stream that breaks off before its first event is no answer; later it is one that
// was cut, and goes down as such.
net::Task<bool> read_to_content(RequestContext& ctx, Attempt& attempt, StreamJudge& stream) {
  net::Worker& worker = attempt.connection.stream().worker();
  const auto has_begun = [&stream](std::string_view held) { return stream.scan(held) || stream.saw_event(); };
  const HoldLimits begin = {kMostHeld, end_of_hold(ctx, attempt, worker.now())};
  Held held = co_await hold_until(ctx, attempt, begin, has_begun);
  if (held == Held::kBroken) attempt.fail(ctx, ended(net::ExchangeEnd::kClosed));
  if (held == Held::kGarbled) attempt.fail(ctx, ended(net::ExchangeEnd::kProtocol));
  if (held != Held::kFound || stream.decided()) co_return !attempt.error;
  const auto has_content = [&stream](std::string_view body) { return stream.scan(body); };
  const HoldLimits content = {kMostEmpty, std::min(begin.deadline, worker.now() + kContentWait)};
  held = co_await hold_until(ctx, attempt, content, has_content);
  co_return held != Held::kFailed;
}

net::Task<void> judge_stream(RequestContext& ctx, Attempt& attempt) {
  const net::MessageHead& head = attempt.answer->head;
  net::Worker& worker = attempt.connection.stream().worker();
  const Dialect* const content_of = ctx.generates ? attempt.by.speaks.dialect : nullptr;
  StreamJudge stream(judge_of(ctx, attempt), head, content_of);
  const bool told = told_by_first_read(attempt, stream);
  if (!told || stream.bad()) attempt.hold_unread();
  if (!told) {
    stream.restart();
    const bool goes_on = co_await read_to_content(ctx, attempt, stream);
    if (!goes_on) co_return;
  }
  if (stream.bad()) co_return attempt.settle(*stream.bad(), worker.now());
  const bool short_whole = !stream.decided() && attempt.body.finished() && attempt.held.size() <= kMostEmpty;
  if (ctx.generates && attempt.by.service->config.retry_on_empty && short_whole && stream.was_empty(attempt.held))
    co_return attempt.settle(empty_response(head.status()), worker.now());
  attempt.accept(worker.now());
}

// The whole body, if it came with the head; `joined` holds it if it came in chunks.
std::optional<std::string_view> whole_body(const Attempt& attempt, std::string& joined) {
  const std::string_view unread = attempt.answer->unread();
  if (attempt.body.length_left() > unread.size()) return std::nullopt;
  net::BodyDecoder decoder = attempt.body;
  std::string_view input = unread;
  std::string_view body;
  std::string_view data;
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
  return body;
}

// What a good JSON answer of `size` bytes is otherwise; `whole`: `body` is all of it.
std::optional<Judgement> look_into_json(const RequestContext& ctx, const Attempt& attempt, std::string_view body,
                                        std::size_t size, bool whole) {
  const net::MessageHead& head = attempt.answer->head;
  if (auto bad = judge_of(ctx, attempt).success(head, body)) return bad;
  const bool may_be_empty =
      ctx.generates && attempt.by.service->config.retry_on_empty && head.status() == 200 && whole && size <= kMostEmpty;
  if (may_be_empty && attempt.by.speaks.dialect->is_empty_answer(body)) return empty_response(head.status());
  return std::nullopt;
}

// A short JSON answer, whether it came with its head or comes behind it; a long one is no error.  `ruled`: the service
// has rules for the bodies of such answers, the long ones too.
net::Task<void> judge_json(RequestContext& ctx, Attempt& attempt, bool ruled) {
  net::Worker& worker = attempt.connection.stream().worker();
  const bool plain = net::content_codings(attempt.answer->head).none();
  std::optional<Judgement> bad;
  std::string joined;
  const auto here = plain ? whole_body(attempt, joined) : std::nullopt;
  if (here) {
    bad = look_into_json(ctx, attempt, *here, here->size(), true);
    if (bad) attempt.hold_unread();
  } else if (ruled || attempt.body.length_left() <= kMostHeld) {
    attempt.hold_unread();
    // A list that comes piece by piece (Gemini's streams without alt=sse) is told by its beginning; and what turns out
    // to be no JSON has nothing to tell.
    const auto no_object = [plain, ruled](std::string_view held) {
      const auto begin = held.find_first_not_of(" \t\r\n");
      if (!plain || begin == std::string_view::npos) return false;
      return ruled ? held[begin] == '[' : held[begin] != '{';
    };
    const HoldLimits limits = {kMostHeld, end_of_hold(ctx, attempt, worker.now())};
    const Held held = co_await hold_until(ctx, attempt, limits, no_object);
    if (held == Held::kFailed) co_return;
    const bool whole = attempt.body.finished();
    if (!plain) joined = attempt.legible();
    const std::string_view text = plain ? std::string_view(attempt.held) : joined;
    if (whole || ruled || held == Held::kFound) bad = look_into_json(ctx, attempt, text, attempt.held.size(), whole);
  }
  if (bad) co_return attempt.settle(*std::move(bad), worker.now());
  attempt.accept(worker.now());
}

net::Task<void> judge_by_beginning(RequestContext& ctx, Attempt& attempt) {
  net::Worker& worker = attempt.connection.stream().worker();
  co_await read_beginning(attempt, worker.now() + kBodyWait);
  const net::MessageHead& head = attempt.answer->head;
  const Judge judge = judge_of(ctx, attempt);
  if (head.status() >= 400) co_return attempt.settle(judge.error(head, attempt.legible()), worker.now());
  auto bad = judge.success(head, attempt.legible());
  if (bad) co_return attempt.settle(*std::move(bad), worker.now());
  attempt.accept(worker.now());
}

}  // namespace

Look look_wanted(const RequestContext& ctx, const Attempt& attempt) {
  const net::MessageHead& head = attempt.answer->head;
  const int status = head.status();
  if (status >= 400) return Look::kBeginning;
  if (status >= 300) return Look::kNone;
  const FailureRules* const rules = attempt.by.service->rules.get();
  const bool ruled = rules != nullptr && rules->looks_at_body_of(status);
  if (!ruled && !ctx.generates) return Look::kNone;
  if (attempt.by.speaks && status == 200 && has_type(head, "text/event-stream")) return Look::kStream;
  if (ctx.generates && has_type(head, "application/json")) return ruled ? Look::kRuledJson : Look::kJson;
  if (ruled) return Look::kBeginning;
  return may_be_json(head.find(net::FieldId::kContentType)) ? Look::kJson : Look::kNone;
}

net::Task<void> judge_answer(RequestContext& ctx, Attempt& attempt, Look look) {
  switch (look) {
    case Look::kStream:
      return judge_stream(ctx, attempt);
    case Look::kJson:
      return judge_json(ctx, attempt, false);
    case Look::kRuledJson:
      return judge_json(ctx, attempt, true);
    case Look::kBeginning:
    case Look::kNone:
      break;
  }
  return judge_by_beginning(ctx, attempt);
}

}  // namespace akr
