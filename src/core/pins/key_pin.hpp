// key_pin.hpp - a pin: which key made a thing that lives in a provider account (a file, a batch, a stored answer), and
// which must therefore be used to reach it (behaviour.md D23).  Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "core/ids.hpp"

namespace akr {

// Stands for (service asked, resource id) or (service asked, access key, resource id): 128 bits of a keyed hash, so
// that the store holds no ids of clients and two access keys share no pin.
struct PinId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const PinId&, const PinId&) = default;
};

// A key and the service whose pool it is in: not the one that was asked if a fallback served.
struct PinnedKey {
  ServiceId service;
  KeyId key;
  std::uint64_t account = 0;  // KeyLease::account(): other keys of it serve as well, also when this one is gone
  friend bool operator==(const PinnedKey& a, const PinnedKey& b) { return a.service == b.service && a.key == b.key; }
};

struct KeyPin {
  ServiceId asked;
  PinId id;
  PinnedKey to;
  WallTime expires{};
  std::uint64_t owner = 0;  // PinHasher::owner() of the access key that made it; 0 = it was only seen
};

// Makes PinIds.  Any thread.
class PinHasher {
 public:
  // `key`: 16 to 64 bytes that survive a restart; a subkey is derived from it.
  explicit PinHasher(std::string_view key);
  // Of what one access key knows of a resource, and of the resource, whoever asks.
  PinId hash(ServiceId asked, std::string_view access_key, std::string_view resource) const;
  PinId thing(ServiceId asked, std::string_view resource) const;
  // Stands for an access key; never 0.
  std::uint64_t owner(std::string_view access_key) const;

 private:
  std::array<unsigned char, 32> key_;
  std::array<unsigned char, 32> thing_keys_;  // of thing(), of owner(): asked for every id, and so of a quicker hash
};

}  // namespace akr
