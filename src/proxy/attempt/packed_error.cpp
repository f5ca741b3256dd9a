#include "proxy/attempt/packed_error.hpp"

#include <algorithm>

#include "core/mask/key_mask.hpp"
#include "net/http/content_decoder.hpp"
#include "net/loop/worker.hpp"
#include "proxy/answer/error_reply.hpp"

namespace akr {
namespace {

constexpr std::string_view kOwnType = "application/json; charset=utf-8";

// How the wait for the rest of the body ended.
enum class Came : std::uint8_t { kWhole, kTooLarge, kCut, kLate, kClientGone, kCancelled };

net::Task<Came> hold_all(RequestContext& ctx, Attempt& attempt, std::size_t most) {
  net::Stream& stream = attempt.connection.stream();
  net::Worker& worker = stream.worker();
  net::ClientWatch watch(ctx.client.socket());
  net::Buffer block;
  attempt.hold_unread();
  const auto patience = attempt.by.service->config.timeouts.stream_idle;
  TimePoint deadline = std::min(worker.now() + patience, ctx.deadline);
  while (!attempt.body.finished()) {
    if (attempt.held.size() > most) co_return Came::kTooLarge;
    if (!attempt.answer->unread().empty()) co_return Came::kCut;  // a framing that is broken
    if (!block) block = net::Buffer::lease(net::Buffer::kMedium);
    const net::IoResult got = stream.try_read(block.data(), block.capacity());
    if (got.status == net::IoStatus::kWouldBlock) {
      const net::WaitEnd end =
          co_await net::wait_for_any({&stream.socket(), got.want}, watch.watch(), watch.until(deadline));
      if (end == net::WaitEnd::kCancelled) co_return Came::kCancelled;
      if (watch.gone()) co_return Came::kClientGone;
      if (worker.now() >= deadline) co_return Came::kLate;
      continue;
    }
    if (got.status == net::IoStatus::kEof && attempt.body.end_of_stream()) break;
    if (got.status != net::IoStatus::kOk) co_return Came::kCut;
    deadline = std::min(worker.now() + patience, ctx.deadline);
    std::string_view input = {block.data(), got.bytes};
    attempt.hold(input);
    if (!input.empty()) attempt.connection.forbid_reuse();
    if (!input.empty() && !attempt.body.finished()) co_return Came::kCut;
  }
  co_return attempt.held.size() > most ? Came::kTooLarge : Came::kWhole;
}

// Why the body cannot be looked into; "" if it can.
std::string obstacle(Came came, const net::ContentCodings& codings, const net::DecodedBody& decoded, std::size_t most) {
  if (came == Came::kTooLarge || (came == Came::kWhole && decoded.end == net::DecodedEnd::kTooLarge))
    return "it is larger than COMPRESSED_ERROR_LIMIT (" + std::to_string(most) + " bytes)";
  if (came == Came::kLate) return "it did not come whole in time";
  if (came != Came::kWhole || (codings.known && decoded.end == net::DecodedEnd::kCut)) return "it was cut";
  if (!codings.known) return "its content coding is not known to the gateway";
  return decoded.end == net::DecodedEnd::kBroken ? "it is damaged" : "";
}

void take_the_place(Attempt& attempt, std::string body, std::string_view type) {
  if (!attempt.body.finished()) attempt.connection.forbid_reuse();
  attempt.body = net::BodyDecoder();
  attempt.answer->begin = attempt.answer->end;
  attempt.held = std::move(body);
  attempt.plain = PlainBody{.length = attempt.held.size(), .type = type};
}

}  // namespace

bool is_packed_error(const Attempt& attempt) {
  if (!attempt.is_error() || (attempt.body.finished() && attempt.held.empty())) return false;
  return !net::content_codings(attempt.answer->head).none();
}

net::Task<Result<void>> look_into_packed_error(RequestContext& ctx, Attempt& attempt, std::size_t most) {
  const Came came = co_await hold_all(ctx, attempt, most);
  if (came == Came::kClientGone) co_return Error{ErrorCode::kClientGone, "the client left before the answer"};
  if (came == Came::kCancelled) co_return Error{ErrorCode::kShuttingDown, "the gateway is shutting down"};
  const net::ContentCodings codings = net::content_codings(attempt.answer->head);
  net::DecodedBody decoded;
  if (came == Came::kWhole) decoded = net::decode_content(codings, attempt.held, most);
  if (const std::string why = obstacle(came, codings, decoded, most); !why.empty()) {
    const int status = attempt.answer->head.status();
    ctx.detail = "the upstream answered " + std::to_string(status) +
                 " with a compressed body that could not be searched for the upstream key and was left out: " + why;
    std::string own = error_body(ctx.client_speaks, Error{ErrorCode::kUpstreamProtocol, ctx.detail}, ctx.id);
    take_the_place(attempt, std::move(own), kOwnType);
    co_return Result<void>();
  }
  const KeyMask mask(attempt.lease.key().secret.expose());
  // Packed data can hold the key as it is, too: in a name or a comment of gzip, or stored without compression.
  std::string packed = attempt.held;
  const bool in_packed = mask.mask(packed);
  if (mask.mask(decoded.text) || in_packed) take_the_place(attempt, std::move(decoded.text), {});
  co_return Result<void>();
}

}  // namespace akr
