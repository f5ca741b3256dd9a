#include "store/key_cipher.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <sodium.h>

namespace akr {
namespace {

constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr int kBase64 = sodium_base64_VARIANT_ORIGINAL;

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string to_base64(const std::vector<unsigned char>& raw) {
  std::string text(sodium_base64_ENCODED_LEN(raw.size(), kBase64), '\0');
  sodium_bin2base64(text.data(), text.size(), raw.data(), raw.size(), kBase64);
  text.pop_back();  // the terminating NUL
  return text;
}

std::optional<std::vector<unsigned char>> from_base64(std::string_view text) {
  // libsodium takes some bytes above 0x7f for the letter they are without their highest bit.
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7f; })) {
    return std::nullopt;
  }
  std::vector<unsigned char> raw(text.size() / 4 * 3 + 3);
  std::size_t length = 0;
  const char* end = nullptr;
  if (sodium_base642bin(raw.data(), raw.size(), text.data(), text.size(), nullptr, &length, &end, kBase64) != 0 ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  raw.resize(length);
  return raw;
}

void append_number(std::string& out, std::int64_t number) {
  for (int shift = 0; shift < 64; shift += 8) {
    out += static_cast<char>(static_cast<std::uint64_t>(number) >> shift);
  }
}

}  // namespace

KeyCipher::KeyCipher(const Secret& master) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium could not be initialised");
  Subkey root;
  crypto_generichash(root.data(), root.size(), bytes(master.expose()), master.size(), nullptr, 0);
  crypto_kdf_derive_from_key(sealing_.data(), sealing_.size(), 1, "akr-seal", root.data());
  crypto_kdf_derive_from_key(lookup_.data(), lookup_.size(), 2, "akr-find", root.data());
  sodium_memzero(root.data(), root.size());
}

KeyCipher::~KeyCipher() {
  sodium_memzero(sealing_.data(), sealing_.size());
  sodium_memzero(lookup_.data(), lookup_.size());
}

std::string KeyCipher::seal(std::string_view plain, std::string_view place) const {
  std::vector<unsigned char> raw(kNonceBytes + plain.size() + kTagBytes);
  randombytes_buf(raw.data(), kNonceBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(raw.data() + kNonceBytes, nullptr, bytes(plain), plain.size(),
                                             bytes(place), place.size(), nullptr, raw.data(), sealing_.data());
  return to_base64(raw);
}

std::optional<Secret> KeyCipher::open(std::string_view sealed, std::string_view place) const {
  const auto raw = from_base64(sealed);
  if (!raw || raw->size() < kNonceBytes + kTagBytes) return std::nullopt;
  std::string plain(raw->size() - kNonceBytes - kTagBytes, '\0');
  const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr, raw->data() + kNonceBytes,
      raw->size() - kNonceBytes, bytes(place), place.size(), raw->data(), sealing_.data());
  if (failed != 0) return std::nullopt;
  Secret secret(plain);
  wipe(plain);
  return secret;
}

std::string KeyCipher::lookup_hash(std::string_view plain) const {
  std::array<unsigned char, 32> hash;
  crypto_generichash(hash.data(), hash.size(), bytes(plain), plain.size(), lookup_.data(), lookup_.size());
  std::string hex(hash.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
  hex.pop_back();  // the terminating NUL
  return hex;
}

std::string key_place(KeyId row, ServiceId service, std::int64_t version) {
  std::string place = "upstream-key";
  append_number(place, row.value);
  append_number(place, service.value);
  append_number(place, version);
  return place;
}

std::string egress_proxy_place(ServiceId row) {
  std::string place = "egress-proxy";
  append_number(place, row.value);
  return place;
}

std::string check_place() { return "key-check"; }

}  // namespace akr
