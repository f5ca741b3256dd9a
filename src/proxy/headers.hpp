// headers.hpp - the heads we write: towards the upstream and towards the client.  The strip lists live here (D08).
#pragma once

#include <string>
#include <string_view>

#include "core/key_pool.hpp"
#include "net/http1.hpp"
#include "proxy/prepare.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// Appends the request head for one attempt to `out`: the client's fields without hop-by-hop fields, credentials and
// identity; then exactly one credential, ours.  The key is in `out` and nowhere else.
void compose_request_head(const RequestContext& ctx, const PreparedRequest& request, const PooledKey& key,
                          std::string& out);

// How the client learns where the body ends.
enum class Framing : std::uint8_t { kNone, kLength, kChunked, kClose };

// Appends the head of the upstream's answer as the client gets it, up to and with the empty line.
void compose_answer_head(RequestContext& ctx, const net::MessageHead& answer, Framing framing, bool keep_alive,
                         std::string_view key, std::string& out);

// The fields that every answer carries, ours or the upstream's: X-Request-Id, X-Rotator-Error-Source for other than
// 2xx, X-Rotator-Overhead-Ms once an upstream was asked.  Whole lines.
void append_own_fields(RequestContext& ctx, bool upstream_has_id, std::string& out);

// Overwrites every occurrence of `key` in `text` with '*', so that an upstream that echoes our credential does not hand
// it to the client (D07, reliability.md E-22).  The length stays.
void mask_key(std::string_view key, std::string& text, std::size_t from = 0);

}  // namespace akr
