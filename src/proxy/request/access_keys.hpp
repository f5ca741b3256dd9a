// access_keys.hpp - the keys that clients may present.  Immutable after construction; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/secret.hpp"

namespace akr {

struct AccessKey {
  Secret key;
  std::string fingerprint;
};

class AccessKeys {
 public:
  explicit AccessKeys(std::vector<Secret> keys);

  AccessKeys(const AccessKeys&) = delete;  // one index points into the other
  AccessKeys& operator=(const AccessKeys&) = delete;

  // The fingerprint of the key that equals `presented`, or "" if none does.  One look-up, however many keys there are,
  // by a hash under a key of this process, then one comparison in constant time: what a stranger can measure tells
  // nothing about a key's bytes (the length of the longest key may show).  No keys: closed, nothing matches.
  std::string_view match(std::string_view presented) const;
  // Usually one or none; two keys may have the same.  They live as long as this.
  std::vector<const AccessKey*> with_fingerprint(std::string_view fingerprint) const;

 private:
  std::uint64_t hash(std::string_view bytes) const;

  std::array<unsigned char, 16> hash_key_;  // of SipHash-2-4; random
  std::unordered_multimap<std::uint64_t, AccessKey> entries_;
  std::unordered_multimap<std::string_view, const AccessKey*> by_fingerprint_;
  std::size_t longest_ = 0;
};

}  // namespace akr
