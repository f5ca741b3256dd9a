// prepare.hpp - body, URL and what else does not change between attempts.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "net/loop/task.hpp"
#include "net/server/downstream.hpp"
#include "proxy/request/access_keys.hpp"
#include "proxy/request/body_plan.hpp"
#include "proxy/request/request_body.hpp"
#include "proxy/request_context.hpp"

namespace akr {

class BodyKeyGate;

// Passes a client's body on as it arrives (body_plan.hpp).  One attempt only.
class UploadSource final : public net::BodySource {
 public:
  explicit UploadSource(net::Downstream& client) : client_(client) {}
  // Longest body: more of it is kError (EFBIG).
  void limit_to(std::uint64_t most) { most_ = most; }
  net::IoResult next(std::string_view& run) override;
  bool chunked() const override { return client_.head().body_kind() == net::BodyKind::kChunked; }
  TimePoint deadline() const override { return client_.body_deadline(); }
  bool begun() const { return begun_; }  // bytes were taken: they are gone

 private:
  net::Downstream& client_;
  std::uint64_t most_ = std::numeric_limits<std::uint64_t>::max();
  bool begun_ = false;
};

// The client's request as one service wants it.
struct UpstreamRequest {
  const RoutedService* service = nullptr;
  const UpstreamUrl* url = nullptr;
  std::string target;  // path and query, without a key
};

// What the client sent, kept as it came, and what was made of it for where it went last.
struct PreparedRequest {
  PreparedRequest(net::Downstream& client, std::string_view body_directory, net::BlockingPool* disk = nullptr)
      : body(body_directory, disk), upload(client) {}

  UpstreamRequest upstream;
  RequestBody body;
  UploadSource upload;
  bool streams_upload = false;  // `upload` instead of `body`
  bool idempotent = false;
  bool upgrade = false;  // websocket

  // What the body says, as far as it is looked at: its beginning in memory (1 MiB), without its content coding.
  std::string_view text() const { return without_mark(decoded ? std::string_view(*decoded) : body.beginning()); }
  // The same, but only if that is all of it; else "".
  std::string_view whole_text() const {
    if (!decoded) return without_mark(body.in_memory());
    return decoded_whole ? without_mark(*decoded) : std::string_view();
  }

  std::optional<std::string> decoded = {};  // decode_body()
  bool decoded_whole = false;
  // It names a coding and opens as JSON without one, which is what an upstream that knows no codings reads; and it can
  // be unpacked to something else.
  bool two_readings = false;

  // Many readers of JSON pass over a byte order mark (RFC 8259 section 8.1).
  static std::string_view without_mark(std::string_view text) {
    return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
  }

  static bool opens_json(std::string_view text) {
    const auto begin = without_mark(text).find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return false;
    const char first = without_mark(text)[begin];
    return first == '{' || first == '[';
  }

  // May the body be sent a second time?
  bool replayable() const { return !streams_upload; }
};

// What can be done without waiting: target, limits known from the head, a body that is here already.  True: ready.
// Sets ctx.body_limit.  kPathRefused, kBodyTooLarge (before any upstream contact), kMethodNotAllowed, kBadRequest.
Result<bool> prepare_now(RequestContext& ctx, PreparedRequest& request, const BodyLimits& limits);

// Makes request.upstream fit where the next attempt goes, if the last one's does not.  kPathRefused.
Result<void> make_upstream_request(const RequestContext& ctx, const RoutedService& service, const UpstreamUrl& url,
                                   PreparedRequest& request);

// Of a compressed body that is here, makes the text by which models, conversations and pins are found; at most 1 MiB of
// it.  The bytes that go up stay as they came.  A coding that nobody knows leaves it unread; one that opens as JSON is
// read as it is.
void decode_body(const net::MessageHead& head, PreparedRequest& request);

// Reads the rest of the body.  kBodyTooLarge, kRequestTimeout, kBadRequest (framing), kClientGone, kOverloaded (a
// stranger's, with no memory left for those).  `gate`, if there is one, sees each piece before it is kept, and what it
// refuses ends it.
net::Task<Result<void>> collect_body(RequestContext& ctx, PreparedRequest& request, std::uint64_t max_body,
                                     BodyKeyGate* gate = nullptr);

// kBodyTooLarge.
Error body_too_large(std::uint64_t limit);

}  // namespace akr
