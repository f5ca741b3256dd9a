#include "core/pins/key_pin.hpp"

#include <cstring>
#include <string>

#include <sodium.h>

namespace akr {

PinHasher::PinHasher(std::string_view key) : key_() {
  constexpr std::string_view kPurpose = "api-key-rotator key pins";
  crypto_generichash(key_.data(), key_.size(), reinterpret_cast<const unsigned char*>(kPurpose.data()), kPurpose.size(),
                     reinterpret_cast<const unsigned char*>(key.data()), key.size());
}

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
  PinId id;
  std::memcpy(&id.high, digest.data(), sizeof id.high);
  std::memcpy(&id.low, digest.data() + sizeof id.high, sizeof id.low);
  return id;
}

}  // namespace akr
