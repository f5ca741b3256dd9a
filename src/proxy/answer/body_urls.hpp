// body_urls.hpp - URLs of the provider inside of a JSON answer that the client calls next (a batch's results): they are
// changed to ours (own_url.hpp); every other byte stays.
//
// Such an answer waits until it is complete.  One that is too long, compressed, an event stream or cut goes down as it
// is; and so does one that would grow beyond twice its size and 64 KiB by it, which no list of a provider does.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "net/loop/task.hpp"
#include "proxy/attempt/attempt.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// Does the provider say such URLs in this answer?
bool may_name_urls(const RequestContext& ctx, const Attempt& attempt);

// REQUIRES: may_name_urls().  kClientGone or kShuttingDown if nobody is there to be answered.
net::Task<Result<void>> rewrite_body_urls(RequestContext& ctx, Attempt& attempt);

// `json` with the URLs at `pointers` changed by `own`, which says "" for those that stay.  "" if none is changed, or if
// the text would be longer than `most` bytes, of which no more are held at any time.
std::string replace_urls(std::string_view json, std::span<const std::string_view> pointers,
                         const std::function<std::string(std::string_view)>& own, std::size_t most = std::string::npos);

}  // namespace akr
