#include "proxy/request/upload_credential.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include <sodium.h>

#include "base/strings.hpp"
#include "core/service/url.hpp"

namespace akr {
namespace {

constexpr std::string_view kVersion = "1";
constexpr std::string_view kPurpose = "api-key-rotator: credentials in upload URLs, version 1";
constexpr std::size_t kLongest = 128;  // ours have about 70 characters

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

using Mac = std::array<char, crypto_auth_hmacsha256_BYTES>;

class Signature {
 public:
  explicit Signature(std::string_view key) { crypto_auth_hmacsha256_init(&state_, bytes(key), key.size()); }
  ~Signature() { sodium_memzero(&state_, sizeof state_); }
  Signature(const Signature&) = delete;
  Signature& operator=(const Signature&) = delete;

  void add(std::string_view part) {
    // So that no two lists of parts sign the same bytes, on any machine.
    std::array<unsigned char, 8> length = {};
    for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<unsigned char>(part.size() >> (8 * i));
    crypto_auth_hmacsha256_update(&state_, length.data(), length.size());
    crypto_auth_hmacsha256_update(&state_, bytes(part), part.size());
  }
  Mac finish() {
    Mac mac;
    crypto_auth_hmacsha256_final(&state_, reinterpret_cast<unsigned char*>(mac.data()));
    return mac;
  }

 private:
  crypto_auth_hmacsha256_state state_;
};

std::string base64url(const Mac& mac) {
  constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string text(sodium_base64_encoded_len(mac.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes({mac.data(), mac.size()}), mac.size(), kVariant);
  text.pop_back();  // the terminating zero
  return text;
}

Secret subkey_of(const Secret& installation) {
  Signature signature(installation.expose());
  signature.add(kPurpose);
  Mac mac = signature.finish();
  Secret subkey(std::string_view(mac.data(), mac.size()));
  sodium_memzero(mac.data(), mac.size());
  return subkey;
}

// What a credential says of itself.
struct Claims {
  std::int64_t expires = 0;
  std::string_view fingerprint;
};

std::optional<Claims> read_claims(std::string_view text) {
  if (text.size() > kLongest || !text.starts_with(kVersion)) return std::nullopt;
  text.remove_prefix(kVersion.size());
  if (!text.starts_with('.')) return std::nullopt;
  text.remove_prefix(1);
  Claims claims;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), claims.expires);
  if (failed != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.starts_with('.')) return std::nullopt;
  text.remove_prefix(1);
  claims.fingerprint = text.substr(0, text.find('.'));
  return claims;
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

Error expired() {
  return {ErrorCode::kAccessKeyInvalid,
          "the upload URL has expired: begin the upload again, or send the access key with it"};
}

Error not_good() {
  return {ErrorCode::kAccessKeyInvalid,
          "the credential in the upload URL is not good here: use the URL as it was given, begin the upload again, or "
          "send the access key with it"};
}

bool says(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    if (iequals(trim(take_part(list, ',')), word)) return true;
  }
  return false;
}

// All fields of a name count: nobody knows which of them the provider reads.
bool begins_upload(const net::MessageHead& head, const Provider& provider) {
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const net::Field field = head.field(i);
    const auto begins = [&field](const HeaderView& by) {
      return iequals(field.name, by.name) && says(field.value, by.value);
    };
    if (std::ranges::any_of(provider.begins_upload, begins)) return true;
  }
  return false;
}

}  // namespace

UploadCredentials::UploadCredentials(const Secret& installation, const AccessKeys& keys, const Clock& clock)
    : subkey_(subkey_of(installation)), keys_(keys), clock_(clock) {}

std::int64_t UploadCredentials::seconds_now() const {
  return std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
}

std::string UploadCredentials::write(const UploadUrl& url, std::int64_t expires, const AccessKey& key) const {
  const std::string until = std::to_string(expires);
  Signature signature(subkey_.expose());
  signature.add(kVersion);
  signature.add(until);
  signature.add(url.slug);
  signature.add(url.path);
  signature.add(remove_parameter(remove_parameter(url.query, kUploadCredential), "key"));
  signature.add(key.key.expose());
  std::string text(kVersion);
  text += '.';
  text += until;
  text += '.';
  text += key.fingerprint;
  text += '.';
  return text += base64url(signature.finish());
}

std::string UploadCredentials::issue(const UploadUrl& url, const AccessGrant& grant) const {
  std::int64_t expires = seconds_now() + std::chrono::seconds(kUploadLifetime).count();
  if (grant.upload_expires != 0) expires = std::min(expires, grant.upload_expires);
  for (const AccessKey* const key : keys_.with_fingerprint(grant.fingerprint)) {
    // Told apart by where it is stored: two keys may have the same.
    if (key->fingerprint.data() != grant.fingerprint.data()) continue;
    std::string parameter(kUploadCredential);
    parameter += '=';
    return parameter += write(url, expires, *key);
  }
  return {};
}

Result<UploadCredentials::Holder> UploadCredentials::check(const UploadUrl& url, std::string_view presented) const {
  const auto claims = read_claims(presented);
  if (!claims) return not_good();
  for (const AccessKey* const key : keys_.with_fingerprint(claims->fingerprint)) {
    // Byte for byte what we would have written: no second spelling is good.
    if (!same(write(url, claims->expires, *key), presented)) continue;
    if (claims->expires <= seconds_now()) return expired();
    return Holder{key->fingerprint, claims->expires};
  }
  return not_good();
}

bool holds_upload_credential(std::string_view query) {
  // Nearly always there is none, and no query.
  if (query.find(kUploadCredential) == std::string_view::npos && query.find('%') == std::string_view::npos)
    return false;
  return !find_parameters(query, kUploadCredential).empty();
}

Result<void> admit_upload(RequestContext& ctx, Result<void> by_key) {
  ctx.grant.upload_in_query = true;
  const Provider* const provider = ctx.asked().provider;
  const bool uploads = ctx.uploads != nullptr && provider != nullptr && !provider->begins_upload.empty();
  if (by_key || by_key.error().code == ErrorCode::kAccessKeyConflict || !uploads) return by_key;
  const std::vector<std::string> presented = find_parameters(ctx.route.query, kUploadCredential);
  const UploadUrl url = {ctx.asked().config.slug, ctx.route.rest, ctx.route.query};
  const auto holder = presented.size() == 1 ? ctx.uploads->check(url, presented.front()) : not_good();
  if (!holder) return by_key.error().code == ErrorCode::kAccessKeyMissing ? holder.error() : std::move(by_key);
  if (begins_upload(ctx.client.head(), *provider)) {
    return Error{ErrorCode::kAccessKeyMissing,
                 "an upload's URL is for the rest of that upload: to begin another one, send an access key"};
  }
  ctx.grant.fingerprint = holder->fingerprint;
  ctx.grant.upload_expires = holder->expires;
  return {};
}

}  // namespace akr
