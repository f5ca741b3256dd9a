#include "core/pins/key_pin.hpp"

#include <cstring>
#include <string>

#include <sodium.h>

namespace akr {

namespace {

std::array<unsigned char, 32> derive(std::string_view key, std::string_view purpose) {
  std::array<unsigned char, 32> derived;
  crypto_generichash(derived.data(), derived.size(), reinterpret_cast<const unsigned char*>(purpose.data()),
                     purpose.size(), reinterpret_cast<const unsigned char*>(key.data()), key.size());
  return derived;
}

PinId id_of(const std::array<unsigned char, 16>& digest) {
  PinId id;
  std::memcpy(&id.high, digest.data(), sizeof id.high);
  std::memcpy(&id.low, digest.data() + sizeof id.high, sizeof id.low);
  return id;
}

}  // namespace

PinHasher::PinHasher(std::string_view key)
    : key_(derive(key, "api-key-rotator key pins")), thing_keys_(derive(key, "api-key-rotator pinned things")) {}

PinId PinHasher::hash(ServiceId asked, std::string_view access_key, std::string_view resource) const {
  // The lengths stand before the texts, so that no two triples look alike.
  const std::uint64_t head[] = {static_cast<std::uint64_t>(asked.value), access_key.size()};
  crypto_generichash_state state;
  std::array<unsigned char, 16> digest;
  const auto add = [&state](const void* bytes, std::size_t size) {
    crypto_generichash_update(&state, static_cast<const unsigned char*>(bytes), size);
  };
  crypto_generichash_init(&state, key_.data(), key_.size(), digest.size());
  add(head, sizeof head);
  add(access_key.data(), access_key.size());
  add(resource.data(), resource.size());
  crypto_generichash_final(&state, digest.data(), digest.size());
  return id_of(digest);
}

PinId PinHasher::thing(ServiceId asked, std::string_view resource) const {
  static_assert(crypto_shorthash_siphashx24_KEYBYTES == 16 && crypto_shorthash_siphashx24_BYTES == 16);
  // Each service has a key of its own.
  std::array<unsigned char, 16> key;
  std::uint64_t half = 0;
  std::memcpy(key.data(), thing_keys_.data(), key.size());
  std::memcpy(&half, key.data(), sizeof half);
  half ^= static_cast<std::uint64_t>(asked.value);
  std::memcpy(key.data(), &half, sizeof half);
  std::array<unsigned char, 16> digest;
  crypto_shorthash_siphashx24(digest.data(), reinterpret_cast<const unsigned char*>(resource.data()), resource.size(),
                              key.data());
  return id_of(digest);
}

std::uint64_t PinHasher::owner(std::string_view access_key) const {
  std::array<unsigned char, 16> digest;
  crypto_shorthash_siphashx24(digest.data(), reinterpret_cast<const unsigned char*>(access_key.data()),
                              access_key.size(), thing_keys_.data() + 16);
  const std::uint64_t owner = id_of(digest).low;
  return owner == 0 ? 1 : owner;
}

}  // namespace akr
