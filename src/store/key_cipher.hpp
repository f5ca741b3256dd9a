// key_cipher.hpp - how secrets look at rest.
//
//   sealed text = base64( nonce[24] || XChaCha20-Poly1305 ciphertext and tag )
//
// The associated data names the place of the secret (row, service, version of the key), so that a ciphertext copied to
// another row does not open.  Immutable after construction, safe for concurrent use.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "core/ids.hpp"

namespace akr {

class KeyCipher {
 public:
  // All subkeys derive from `master`; any length, entropy is the caller's business.
  explicit KeyCipher(const Secret& master);
  ~KeyCipher();
  KeyCipher(const KeyCipher&) = delete;
  KeyCipher& operator=(const KeyCipher&) = delete;

  std::string seal(std::string_view plain, std::string_view place) const;
  // nullopt: changed, from another place, or sealed with another master.
  std::optional<Secret> open(std::string_view sealed, std::string_view place) const;

  // 64 hex digits, the same for the same bytes under the same master: finds duplicates without opening anything.
  std::string lookup_hash(std::string_view plain) const;

 private:
  using Subkey = std::array<unsigned char, 32>;
  Subkey sealing_;
  Subkey lookup_;
};

// The places.  `version` counts re-encryptions under a new master.
std::string key_place(KeyId row, ServiceId service, std::int64_t version);
std::string egress_proxy_place(ServiceId row);
std::string check_place();

}  // namespace akr
