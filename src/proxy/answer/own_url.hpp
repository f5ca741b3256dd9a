// own_url.hpp - URLs in answers that the client calls next: they must lead to us again, not past us to the provider
// with the access key in hand (behaviour.md D16).
#pragma once

#include <string>
#include <string_view>

#include "proxy/request_context.hpp"

namespace akr {

// The URL under which the client reaches through us what `url` names, if that lies below one of the base URLs of the
// service that answers (ctx.served): PROXY_PUBLIC_BASE_URL, or else the scheme and the Host of the client's request,
// and the asked service's place there, which knows the pins, also when a fallback answers.  "" if it lies elsewhere, or
// could be read as something that does.  `url` is absolute, or begins with a slash and is meant at the URL that
// answered.  `key`, the one that was used, stands in a base path that holds one, and does not travel on in the query.
// REQUIRES: the client's head is still there.
std::string own_url(const RequestContext& ctx, std::string_view url, std::string_view key);

// The same for a field of a good answer: the URL of a resumable upload carries the credential by which its pieces are
// let in without an access key (upload_credential.hpp).
std::string own_url_to_call(const RequestContext& ctx, std::string_view url, std::string_view key);

}  // namespace akr
