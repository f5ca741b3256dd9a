// password.hpp - is this the admin's password?  Safe for concurrent use.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace akr {

class PasswordVerifier {
 public:
  static PasswordVerifier plain(const Secret& password);  // ADMIN_PASSWORD
  static PasswordVerifier argon2id(
      std::string_view encoded_hash);  // "$argon2id$v=19$m=...": memory and time are its own

  // Takes the same time for every wrong password of a length.  One Argon2id computation at a time, because each takes
  // the memory its hash says.
  bool matches(std::string_view password) const;

  // Changes when the password does; not to be shown.
  std::string_view identity() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace akr
