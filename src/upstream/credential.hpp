// credential.hpp - where an upstream key stands in a request: the operator's place, else the provider's own.  Exactly
// one credential goes up, whoever asks: a client's request and our own calls are written by the same words.
#pragma once

#include <string>
#include <string_view>

#include "core/keys/key_pool.hpp"
#include "upstream/routed_service.hpp"

namespace akr {

// Views of the service and of static storage.  A key in the path has no name: its place is the URL's.
struct Credential {
  bool in_query = false;
  std::string_view name = {};  // of the field or the parameter; "" = none is sent
  std::string_view prefix = {};

  // Would a field of that name from elsewhere contradict ours?
  bool contradicted_by(std::string_view field) const;
};

Credential credential_of(const RoutedService& service);

// Appends `target` (path and query, made for `url`) as it goes into the request line.  A key in the path takes the
// place of its mark (UpstreamUrl::key_at); one in the query replaces the parameters of its name (contract 2.4.6); it is
// in `out` then and nowhere else.
void append_target(const Credential& credential, const UpstreamUrl& url, std::string_view target, const PooledKey& key,
                   std::string& out);

// Appends the credential's field as a whole line; nothing if it stands elsewhere.
void append_credential(const Credential& credential, const PooledKey& key, std::string& out);

}  // namespace akr
