#include "proxy/attempt/packed_error.hpp"

#include <algorithm>

#include "core/mask/key_mask.hpp"
#include "net/http/content_decoder.hpp"
#include "proxy/answer/error_reply.hpp"
#include "proxy/attempt/whole_body.hpp"

namespace akr {
namespace {

constexpr std::string_view kOwnType = "application/json; charset=utf-8";

// Why the body cannot be looked into; "" if it can.
std::string obstacle(Came came, const net::ContentCodings& codings, const net::DecodedBody& decoded, std::size_t most) {
  if (came == Came::kTooLarge || (came == Came::kWhole && decoded.end == net::DecodedEnd::kTooLarge))
    return "it is larger than COMPRESSED_ERROR_LIMIT (" + std::to_string(most) + " bytes)";
  if (came == Came::kLate) return "it did not come whole in time";
  if (came != Came::kWhole || (codings.known && decoded.end == net::DecodedEnd::kCut)) return "it was cut";
  if (!codings.known) return "its content coding is not known to the gateway";
  return decoded.end == net::DecodedEnd::kBroken ? "it is damaged" : "";
}

}  // namespace

bool is_packed_error(const Attempt& attempt) {
  if (!attempt.is_error() || (attempt.body.finished() && attempt.held.empty())) return false;
  return !net::content_codings(attempt.answer->head).none();
}

net::Task<Result<void>> look_into_packed_error(RequestContext& ctx, Attempt& attempt, std::size_t most) {
  const Came came = co_await hold_all(ctx, attempt, most);
  if (auto nobody = nobody_to_answer(came)) co_return *std::move(nobody);
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
