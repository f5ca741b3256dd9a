#include "proxy/attempt/attempt.hpp"

#include <cerrno>

#include "core/mask/key_mask.hpp"
#include "net/http/content_decoder.hpp"
#include "proxy/attempt/attempt_error.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostLegible = 1 << 20;

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

net::IoResult Attempt::hold_more(std::size_t most, net::Buffer& block) {
  if (body.finished() || held.size() >= most || !answer->unread().empty()) return {.status = net::IoStatus::kEof};
  if (!block) block = net::Buffer::lease(net::Buffer::kMedium);
  const net::IoResult got = connection.stream().try_read(block.data(), block.capacity());
  if (got.status == net::IoStatus::kWouldBlock) block.release();  // an answer that is waited for costs no buffer
  if (got.status == net::IoStatus::kEof)
    return {.status = body.end_of_stream() ? net::IoStatus::kEof : net::IoStatus::kError};
  if (got.status != net::IoStatus::kOk) return got;
  std::string_view input = {block.data(), got.bytes};
  hold(input);
  // Bytes behind the body's end, or a framing that is broken: nothing that another request should meet.
  if (input.empty()) return got;
  connection.forbid_reuse();
  return {.status = body.finished() ? net::IoStatus::kEof : net::IoStatus::kError, .error = EPROTO};
}

std::string Attempt::legible() const {
  net::DecodedBody decoded = net::decode_content(net::content_codings(answer->head), held, kMostLegible);
  std::string text = std::move(decoded.text);
  // Some say gzip and send none.
  if (decoded.end == net::DecodedEnd::kBroken && text.empty()) text = held;
  KeyMask(lease.key().secret.expose()).mask(text, KeyMask::End::kCut);
  return text;
}

void Attempt::give_back() {
  if (!answer || !body.finished()) return;
  if (answer->head.keep_alive() && answer->unread().empty()) connection.mark_reusable();
}

// What was refused, or never arrived, cost no tokens.
void Attempt::forget_estimate(TimePoint now) {
  if (lease.counts_tokens()) lease.count_tokens(0, now);
}

void Attempt::fail_to_connect(const Error& why, TimePoint now) {
  judge_connect(why, facts);
  forget_estimate(now);
  error = why;
}

void Attempt::fail(const RequestContext& ctx, const net::ExchangeResult& result) {
  connection.release();
  answer.reset();
  error = describe_exchange(ctx, by.service->config, result);
  facts.progress = result.sent == 0 || result.never_arrived ? SendProgress::kNothingSent : SendProgress::kSent;
  facts.verdict = classify({.end = end_of(result.end)});
}

void Attempt::accept(TimePoint now) {
  facts.status = answer->head.status();
  facts.progress = SendProgress::kAnswered;
  facts.verdict = classify({.status = facts.status});
  if (facts.verdict.key != KeyAction::kGood) return;
  if (const auto wait = nothing_left(answer->head)) lease.observe_remaining(0, *wait, now);
}

void Attempt::settle(Judgement judgement, TimePoint now) {
  if (judgement.status >= 400) forget_estimate(now);
  facts.status = judgement.status;
  facts.progress = SendProgress::kAnswered;
  facts.verdict = judgement.verdict;
  rule = judgement.rule;
  failed = true;
  if (judgement.verdict.key == KeyAction::kNone || judgement.verdict.key == KeyAction::kGood) return;
  // The message may be an extract that ends inside of the key.
  KeyMask(lease.key().secret.expose()).mask(judgement.message, KeyMask::End::kCut);
  lease.note_failure(judgement.status, judgement.message);
}

}  // namespace akr
