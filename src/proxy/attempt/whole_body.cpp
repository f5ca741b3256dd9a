#include "proxy/attempt/whole_body.hpp"

#include <algorithm>

#include "net/loop/worker.hpp"

namespace akr {

net::Task<Came> hold_all(RequestContext& ctx, Attempt& attempt, std::size_t most) {
  net::Stream& stream = attempt.connection.stream();
  net::Worker& worker = stream.worker();
  net::ClientWatch watch(ctx.client.socket());
  net::Buffer block;
  attempt.hold_unread();
  const auto patience = attempt.by.service->config.timeouts.stream_idle;
  TimePoint deadline = std::min(worker.now() + patience, ctx.deadline);
  for (;;) {
    const net::IoResult got = attempt.hold_more(most + 1, block);
    if (got.status == net::IoStatus::kEof) break;
    if (got.status == net::IoStatus::kError) co_return Came::kCut;
    if (got.status == net::IoStatus::kOk) {
      deadline = std::min(worker.now() + patience, ctx.deadline);
      continue;
    }
    const net::WaitEnd end =
        co_await net::wait_for_any({&stream.socket(), got.want}, watch.watch(), watch.until(deadline));
    if (end == net::WaitEnd::kCancelled) co_return Came::kCancelled;
    if (watch.gone()) co_return Came::kClientGone;
    if (worker.now() >= deadline) co_return Came::kLate;
  }
  if (attempt.held.size() > most) co_return Came::kTooLarge;
  co_return attempt.body.finished() ? Came::kWhole : Came::kCut;
}

std::optional<Error> nobody_to_answer(Came came) {
  if (came == Came::kClientGone) return Error{ErrorCode::kClientGone, "the client left before the answer"};
  if (came == Came::kCancelled) return Error{ErrorCode::kShuttingDown, "the gateway is shutting down"};
  return std::nullopt;
}

void take_the_place(Attempt& attempt, std::string body, std::string_view type) {
  if (!attempt.body.finished()) attempt.connection.forbid_reuse();
  attempt.body = net::BodyDecoder();
  attempt.answer->begin = attempt.answer->end;
  attempt.held = std::move(body);
  attempt.plain = PlainBody{.length = attempt.held.size(), .type = type};
}

}  // namespace akr
