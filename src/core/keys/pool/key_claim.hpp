// key_claim.hpp - what a lease remembers about the key it took; opaque outside of KeyPool.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "core/ids.hpp"

namespace akr {

// One key as the data plane sees it.  Immutable; kept alive by leases after the key was deleted.
struct PooledKey {
  KeyId id;
  Secret secret;
  std::string fingerprint;  // 8 hex digits, for logs and metrics
};

// A model's name without allocation: the hash tells models apart, the text (cut at 55 bytes) is for people.
class ModelTag {
 public:
  ModelTag() = default;
  explicit ModelTag(std::string_view name)
      : length_(static_cast<std::uint8_t>(std::min<std::size_t>(name.size(), kText))) {
    std::copy_n(name.data(), length_, text_.data());
    hash_ = name.empty() ? 0 : hash(name);
  }
  std::uint64_t hash() const { return hash_; }  // 0 = no model
  std::string_view text() const { return {text_.data(), length_}; }

 private:
  static constexpr std::size_t kText = 55;
  static std::uint64_t hash(std::string_view name);
  std::uint64_t hash_ = 0;
  std::uint8_t length_ = 0;
  std::array<char, kText> text_{};
};

struct KeyClaim {
  const PooledKey* key = nullptr;  // owned by the pool, which frees it after the last claim
  std::uint32_t slot = 0;          // index hint into the pool; checked, because keys may be replaced meanwhile
  std::uint32_t tokens = 0;        // counted in the key's tpm for this attempt
  std::uint64_t ticket = 0;        // order of claims: older ones say nothing about a younger wait
  std::uint64_t affinity = 0;
  std::uint64_t account = 0;   // stable_hash() of the key's account; 0 = none
  std::uint8_t trials = 0;     // which waits this attempt tries to end (TrialBit of pool/reach.hpp)
  bool counts_tokens = false;  // the key, or its group, has a tpm
  ModelTag model;
};

}  // namespace akr
