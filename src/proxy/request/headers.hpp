// headers.hpp - the heads we write: towards the upstream and towards the client.  The strip lists live here (D08).
#pragma once

#include <string>
#include <string_view>

#include "core/keys/key_pool.hpp"
#include "net/http/http1.hpp"
#include "proxy/request/prepare.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// Appends the request head for one attempt to `out`: the client's fields without hop-by-hop fields, credentials and
// identity; then exactly one credential, ours.  The key is in `out` and nowhere else.  REQUIRES: request.upstream was
// made for `to`.
void compose_request_head(const RequestContext& ctx, const PreparedRequest& request, const ServedBy& to,
                          const PooledKey& key, std::string& out);

// A body of known length in place of the upstream's.
struct PlainBody {
  std::uint64_t length = 0;
  std::string_view type = {};  // its Content-Type; "" = the upstream's
};

// How the client learns where the body ends.
enum class Framing : std::uint8_t { kNone, kLength, kChunked, kClose };

// What the client's head says about the body.
struct AnswerShape {
  Framing framing = Framing::kNone;
  bool keep_alive = true;
  const PlainBody* plain = nullptr;       // a body that is not the upstream's own goes down instead
  std::chrono::milliseconds retry_in{0};  // instead of the upstream's own hints; 0 = as it says
};

// Appends the head of the upstream's answer as the client gets it, up to and with the empty line.  `key`, the one that
// was used, is masked in the reason phrase and in all of the upstream's fields, whatever the status (D07).  URLs that
// the client calls next lead to us (own_url.hpp).
void compose_answer_head(RequestContext& ctx, const net::MessageHead& answer, const AnswerShape& shape,
                         std::string_view key, std::string& out);

// The fields that every answer carries, ours or the upstream's: X-Request-Id, X-Rotator-Error-Source for other than
// 2xx, X-Rotator-Overhead-Ms once an upstream was asked, and what browsers must read (cors.hpp).  Whole lines.
void append_own_fields(RequestContext& ctx, bool upstream_has_id, std::string& out);

}  // namespace akr
