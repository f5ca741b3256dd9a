// body_plan.hpp - which bodies are read before they go up, which pass through as they come, and how long each may be.
//
// What a body says tells who may serve the request (models, pins, conversations), so it is read, whatever the service
// says and whatever its type is.  Files tell nothing and may be large: what goes to an LLM service's places for them
// (takes_file()) and is no JSON passes through, which leaves it one attempt.  A generation call with a file in it (a
// transcription) can be served by any key: it is kept while its length is that of an ordinary body, or is not told, so
// that it can be tried again.  Pure; any thread.
#pragma once

#include <cstdint>
#include <limits>

#include "proxy/request_context.hpp"

namespace akr {

// Longest bodies in bytes; what the operator set wins over our own defaults (app/node_settings).
struct BodyLimits {
  std::uint64_t kept = 32ULL << 20;   // MAX_BODY_SIZE: of what is kept for a second attempt
  std::uint64_t json = 64ULL << 20;   // what is read of LLM services; kept, if that was set
  std::uint64_t upload = 2ULL << 30;  // MAX_UPLOAD_SIZE: what passes through without stream_uploads
};

struct BodyPlan {
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
  bool streams = false;       // passes through as it comes
  bool even_if_here = false;  // also when all of it is here already and could be sent twice
};

// REQUIRES: the route is known, and the head is still there.
BodyPlan plan_body(const RequestContext& ctx, const BodyLimits& limits);

}  // namespace akr
