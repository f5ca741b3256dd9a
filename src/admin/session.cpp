#include "admin/session.hpp"

#include <array>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <jwt.h>
#include <sodium.h>

#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::size_t kLongestToken = 1024;  // ours have about 300 characters
constexpr long kClockSkew = 60;              // seconds; several nodes may sign
constexpr const char* kIssuer = "api-key-rotator";
constexpr const char* kAudience = "admin";

using Jwt = std::unique_ptr<jwt_t, decltype(&jwt_free)>;

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string random_id() {
  std::array<char, 12> raw;
  randombytes_buf(raw.data(), raw.size());
  return to_hex({raw.data(), raw.size()});
}

std::string text_claim(const Jwt& jwt, const char* name) {
  const char* value = jwt_get_grant(jwt.get(), name);
  return value == nullptr ? "" : value;
}

}  // namespace

Sessions::Sessions(Secret secret, std::string username, std::string_view credentials, const Clock& clock)
    : secret_(std::move(secret)), username_(std::move(username)), clock_(clock) {
  std::array<unsigned char, 16> hash;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, hash.size());
  for (std::string_view part : {secret_.expose(), std::string_view(username_), credentials}) {
    const std::uint64_t length = part.size();  // so that no two lists of parts hash the same bytes
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(&length), sizeof length);
    crypto_generichash_update(&state, bytes(part), part.size());
  }
  crypto_generichash_final(&state, hash.data(), hash.size());
  epoch_ = to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

std::string Sessions::issue() const {
  const long now = seconds_now();
  return encode({now, now + static_cast<long>(kSessionLifetime.count()), random_id()});
}

bool Sessions::accepts(const std::string& token) const {
  if (token.size() > kLongestToken || token.find('\0') != std::string::npos) return false;
  const auto claims = decode(token);
  if (!claims) return false;
  const std::string ours = encode(*claims);
  if (ours.size() != token.size() || sodium_memcmp(ours.data(), token.data(), ours.size()) != 0) return false;
  const long now = seconds_now();
  return claims->issued <= now + kClockSkew && claims->expires > now &&
         claims->expires - claims->issued == kSessionLifetime.count();
}

std::string Sessions::encode(const Claims& claims) const {
  jwt_t* raw = nullptr;
  if (jwt_new(&raw) != 0) throw std::bad_alloc();
  const Jwt jwt(raw, &jwt_free);
  jwt_add_grant(raw, "iss", kIssuer);
  jwt_add_grant(raw, "aud", kAudience);
  jwt_add_grant(raw, "sub", username_.c_str());
  jwt_add_grant(raw, "epoch", epoch_.c_str());
  jwt_add_grant(raw, "jti", claims.id.c_str());
  jwt_add_grant_int(raw, "iat", claims.issued);
  jwt_add_grant_int(raw, "exp", claims.expires);
  jwt_set_alg(raw, JWT_ALG_HS256, bytes(secret_.expose()), static_cast<int>(secret_.size()));
  const std::unique_ptr<char, decltype(&std::free)> text(jwt_encode_str(raw), &std::free);
  if (!text) throw std::runtime_error("a session token could not be signed");
  return text.get();
}

std::optional<Sessions::Claims> Sessions::decode(const std::string& token) const {
  jwt_t* raw = nullptr;
  if (jwt_decode(&raw, token.c_str(), bytes(secret_.expose()), static_cast<int>(secret_.size())) != 0) {
    return std::nullopt;
  }
  const Jwt jwt(raw, &jwt_free);
  if (jwt_get_alg(raw) != JWT_ALG_HS256) return std::nullopt;
  return Claims{jwt_get_grant_int(raw, "iat"), jwt_get_grant_int(raw, "exp"), text_claim(jwt, "jti")};
}

long Sessions::seconds_now() const {
  return std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
}

}  // namespace akr
