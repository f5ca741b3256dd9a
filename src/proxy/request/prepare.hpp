// prepare.hpp - body, URL and what else does not change between attempts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "net/loop/task.hpp"
#include "net/server/downstream.hpp"
#include "proxy/request/access_keys.hpp"
#include "proxy/request/request_body.hpp"
#include "proxy/request_context.hpp"

namespace akr {

class BodyKeyGate;

// Passes a client's body on as it arrives (services with stream_uploads).  One attempt only.
class UploadSource final : public net::BodySource {
 public:
  explicit UploadSource(net::Downstream& client) : client_(client) {}
  net::IoResult next(std::string_view& run) override;
  bool chunked() const override { return client_.head().body_kind() == net::BodyKind::kChunked; }
  TimePoint deadline() const override { return client_.body_deadline(); }
  bool begun() const { return begun_; }  // bytes were taken: they are gone

 private:
  net::Downstream& client_;
  bool begun_ = false;
};

struct PreparedRequest {
  PreparedRequest(net::Downstream& client, std::string_view body_directory, net::BlockingPool* disk = nullptr)
      : body(body_directory, disk), upload(client) {}

  std::string target;                      // path and query for the upstream, without a key
  const UpstreamUrl* joined_to = nullptr;  // the one that `target` fits
  const JoinRule* joined_by = nullptr;
  RequestBody body;
  UploadSource upload;
  bool streams_upload = false;  // `upload` instead of `body`
  bool idempotent = false;
  bool upgrade = false;  // websocket

  // May the body be sent a second time?
  bool replayable() const { return !streams_upload; }
};

// What can be done without waiting: target, limits known from the head, a body that is here already.  True: ready.
// kPathRefused, kBodyTooLarge (before any upstream contact), kMethodNotAllowed.
Result<bool> prepare_now(RequestContext& ctx, PreparedRequest& request, std::uint64_t max_body);

// Makes the target fit where the next attempt goes, if that differs from where the last one went.  kPathRefused.
Result<void> join_again(const RequestContext& ctx, PreparedRequest& request);

// Reads the rest of the body.  kBodyTooLarge, kRequestTimeout, kBadRequest (framing), kClientGone, kOverloaded (a
// stranger's, with no memory left for those).  `gate`, if there is one, sees each piece before it is kept, and what it
// refuses ends it.
net::Task<Result<void>> collect_body(RequestContext& ctx, PreparedRequest& request, std::uint64_t max_body,
                                     BodyKeyGate* gate = nullptr);

}  // namespace akr
