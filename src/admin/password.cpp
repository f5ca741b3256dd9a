#include "admin/password.hpp"

#include <array>

#include <sodium.h>

#include "base/mutex.hpp"

namespace akr {
namespace {

constexpr std::size_t kLongestPassword = 1024;

using Digest = std::array<unsigned char, 32>;

// Under a key of this process, so that a digest says nothing about the password outside of it.
Digest digest_of(std::string_view text) {
  static const Digest kKey = [] {
    Digest random;
    randombytes_buf(random.data(), random.size());
    return random;
  }();
  Digest digest;
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                     kKey.data(), kKey.size());
  return digest;
}

}  // namespace

struct PasswordVerifier::State {
  Secret text;  // the password, or its Argon2id hash
  bool hashed = false;
  Digest digest;  // of a plain password
  mutable Mutex one_at_a_time;
};

PasswordVerifier PasswordVerifier::plain(const Secret& password) {
  PasswordVerifier verifier;
  verifier.state_ = std::make_shared<State>();
  verifier.state_->text = password;
  verifier.state_->digest = digest_of(password.expose());
  return verifier;
}

PasswordVerifier PasswordVerifier::argon2id(std::string_view encoded_hash) {
  PasswordVerifier verifier;
  verifier.state_ = std::make_shared<State>();
  verifier.state_->text = Secret(encoded_hash);
  verifier.state_->hashed = true;
  return verifier;
}

bool PasswordVerifier::matches(std::string_view password) const {
  if (password.size() > kLongestPassword || state_->text.empty()) return false;
  if (state_->hashed) {
    MutexLock lock(state_->one_at_a_time);
    const std::string encoded(state_->text.expose());
    return crypto_pwhash_str_verify(encoded.c_str(), password.data(), password.size()) == 0;
  }
  const Digest digest = digest_of(password);
  return sodium_memcmp(digest.data(), state_->digest.data(), digest.size()) == 0;
}

std::string_view PasswordVerifier::identity() const { return state_->text.expose(); }

}  // namespace akr
