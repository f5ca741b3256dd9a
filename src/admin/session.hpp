// session.hpp - signed proofs of a login: JWT, HS256 and nothing else.
//
// A token is accepted only if it is, byte for byte, one that issue() could have written: the signature is checked by
// libjwt, and then the token is written again from its claims and compared.  Other algorithms, other headers, extra or
// repeated members, other number formats and other encodings fall to the same comparison.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/secret.hpp"

namespace akr {

inline constexpr std::chrono::seconds kSessionLifetime = std::chrono::hours(12);

class Sessions {
 public:
  // `credentials` is whatever must stay the same for a token to stay valid: user name and password.
  // REQUIRES: secret.size() >= 32.
  Sessions(Secret secret, std::string username, std::string_view credentials, const Clock& clock);

  std::string issue() const;
  // Signed by us, for these credentials, not expired.  Any thread.
  bool accepts(const std::string& token) const;

 private:
  struct Claims {
    long issued = 0;
    long expires = 0;
    std::string id;
  };
  std::string encode(const Claims& claims) const;
  std::optional<Claims> decode(const std::string& token) const;
  long seconds_now() const;

  const Secret secret_;
  const std::string username_;
  std::string epoch_;  // hash of secret and credentials: changes with either
  const Clock& clock_;
};

}  // namespace akr
