#include "proxy/request/access_keys.hpp"

#include <algorithm>

#include <sodium.h>

#include "base/strings.hpp"

namespace akr {

static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == sizeof(std::uint64_t));

AccessKeys::AccessKeys(std::vector<Secret> keys) {
  randombytes_buf(hash_key_.data(), hash_key_.size());
  entries_.reserve(keys.size());
  for (Secret& key : keys) {
    if (key.empty()) continue;  // an empty entry is no key: it must not let in who presents nothing
    longest_ = std::max(longest_, key.size());
    std::string mark = fingerprint(key.expose());
    const std::uint64_t place = hash(key.expose());
    const AccessKey& entry = entries_.emplace(place, AccessKey{std::move(key), std::move(mark)})->second;
    by_fingerprint_.emplace(entry.fingerprint, &entry);
  }
}

std::uint64_t AccessKeys::hash(std::string_view bytes) const {
  std::uint64_t value = 0;
  crypto_shorthash(reinterpret_cast<unsigned char*>(&value), reinterpret_cast<const unsigned char*>(bytes.data()),
                   bytes.size(), hash_key_.data());
  return value;
}

std::string_view AccessKeys::match(std::string_view presented) const {
  // A credential of many kilobytes is not worth hashing.
  if (presented.empty() || presented.size() > longest_) return {};
  const auto [first, last] = entries_.equal_range(hash(presented));
  for (auto entry = first; entry != last; ++entry) {
    if (entry->second.key.equals(presented)) return entry->second.fingerprint;
  }
  return {};
}

std::vector<const AccessKey*> AccessKeys::with_fingerprint(std::string_view fingerprint) const {
  std::vector<const AccessKey*> found;
  const auto [first, last] = by_fingerprint_.equal_range(fingerprint);
  for (auto entry = first; entry != last; ++entry) found.push_back(entry->second);
  return found;
}

}  // namespace akr
