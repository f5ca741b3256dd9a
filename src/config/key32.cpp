#include "config/key32.hpp"

#include <array>

#include <sodium.h>

#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::array kBase64Variants = {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
                                        sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING};

}  // namespace

std::optional<Secret> decode_key32(const Secret& text) {
  const std::string_view written = trim(text.expose());
  std::array<unsigned char, kKeyBytes> key = {};
  std::optional<Secret> decoded;
  const auto finish = [&](int failure, std::size_t length) {
    if (failure != 0 || length != kKeyBytes) return false;
    decoded.emplace(std::string_view(reinterpret_cast<const char*>(key.data()), kKeyBytes));
    return true;
  };
  std::size_t length = 0;
  bool found =
      written.size() == 2 * kKeyBytes &&
      finish(sodium_hex2bin(key.data(), key.size(), written.data(), written.size(), nullptr, &length, nullptr), length);
  for (int variant : kBase64Variants) {
    if (found) break;
    const int failure =
        sodium_base642bin(key.data(), key.size(), written.data(), written.size(), nullptr, &length, nullptr, variant);
    found = finish(failure, length);
  }
  sodium_memzero(key.data(), key.size());
  return decoded;
}

}  // namespace akr
