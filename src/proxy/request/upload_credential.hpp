// upload_credential.hpp - lets in the pieces of a resumable upload that come without an access key: SDKs send them to
// the URL that the provider's answer told, with nothing else that says who asks (google-genai for Python; behaviour.md
// D29).
//
// The URL that clients are told instead carries one parameter more:
//
//   rotator_upload_credential=1.EXPIRES.FINGERPRINT.MAC
//
//   EXPIRES      seconds since 1970
//   FINGERPRINT  of the access key that began the upload
//   MAC          base64url of HMAC-SHA256, under a subkey of ENCRYPTION_KEY, over the version, EXPIRES, the service's
//                slug, the path behind it, the rest of the query, and the access key itself
//
// So it is good for this one URL (the upload's pieces, its queries, its end), at every node of the same ENCRYPTION_KEY,
// before and after a restart, and for as long as its access key is: nothing is stored.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "proxy/request/access_keys.hpp"
#include "proxy/request_context.hpp"

namespace akr {

inline constexpr std::string_view kUploadCredential = "rotator_upload_credential";
// The longest file (2 GiB at the provider and by MAX_UPLOAD_SIZE) takes 4.8 hours at 1 Mbit/s, in pieces of 8 MiB that
// are each checked when they begin.  Whoever finds the URL later can do nothing but end this one upload.
inline constexpr std::chrono::hours kUploadLifetime{6};

// What a credential is good for.  `query` without its '?'; the credential in it counts for nothing, nor does `key`.
struct UploadUrl {
  std::string_view slug;
  std::string_view path;
  std::string_view query;
};

// Immutable after construction; any thread.
class UploadCredentials {
 public:
  // `keys` and `clock` outlive this.  REQUIRES: installation.size() >= 16.
  UploadCredentials(const Secret& installation, const AccessKeys& keys, const Clock& clock);

  // The parameter, name and value, for whoever `grant` let in; "" if that is none of the access keys.  A client that
  // was let in by a credential gets none that lives longer.
  std::string issue(const UploadUrl& url, const AccessGrant& grant) const;

  struct Holder {
    std::string_view fingerprint;  // the very view that AccessKeys::match() gives
    std::int64_t expires = 0;      // seconds since 1970
  };
  // Who was given `presented` for this URL.  kAccessKeyInvalid: nobody, or it has expired.
  Result<Holder> check(const UploadUrl& url, std::string_view presented) const;

 private:
  std::string write(const UploadUrl& url, std::int64_t expires, const AccessKey& key) const;
  std::int64_t seconds_now() const;

  Secret subkey_;
  const AccessKeys& keys_;
  const Clock& clock_;
};

// Is there such a parameter, however its name is spelled?  It must not travel on, good or bad.
bool holds_upload_credential(std::string_view query);

// May a request come in that holds one?  `by_key` is what authenticate() says of it: an access key that the client
// shows counts alone, as in every other request.  Fills ctx.grant.  REQUIRES: holds_upload_credential(ctx.route.query).
// kAccessKeyInvalid, kAccessKeyMissing (the credential begins no other upload), and what `by_key` says.
Result<void> admit_upload(RequestContext& ctx, Result<void> by_key);

}  // namespace akr
