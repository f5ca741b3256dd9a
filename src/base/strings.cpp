#include "base/strings.hpp"

#include <array>
#include <charconv>
#include <cstring>

#include <sodium.h>

namespace akr {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool is_unreserved(char c) {
  const char lower = ascii_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

std::array<unsigned char, 32> g_fingerprint_key = {};  // written once, before any worker starts

// The letters of eight characters in lower case, all at once.
std::uint64_t lower8(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  const std::uint64_t low = word & (kOnes * 0x7f);
  const std::uint64_t from_a = low + kOnes * (0x80 - 'A');
  const std::uint64_t past_z = low + kOnes * (0x7f - 'Z');
  return word | ((from_a ^ past_z) & ~word & (kOnes * 0x80)) >> 2;
}

bool iequals8(const char* a, const char* b) {
  std::uint64_t left = 0, right = 0;
  std::memcpy(&left, a, 8);
  std::memcpy(&right, b, 8);
  return left == right || lower8(left) == lower8(right);
}

}  // namespace

bool iequals(std::string_view a, std::string_view b) { return a.size() == b.size() && istarts_with(a, b); }

bool istarts_with(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  std::size_t i = 0;
  for (; i + 8 <= prefix.size(); i += 8) {
    if (!iequals8(text.data() + i, prefix.data() + i)) return false;
  }
  for (; i < prefix.size(); ++i) {
    if (ascii_lower(text[i]) != ascii_lower(prefix[i])) return false;
  }
  return true;
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = ascii_lower(c);
  return out;
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c & ~0x20);
  }
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<std::uint64_t> parse_u64(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

namespace {

void append_escape(char c, std::string& out) {
  constexpr std::string_view kUpper = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += {'%', kUpper[byte >> 4], kUpper[byte & 15]};
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      append_escape(c, out);
    }
  }
  return out;
}

void append_path_segment(std::string_view text, std::string& out) {
  constexpr std::string_view kAlso = "!$&'()*+,;=:@";  // RFC 3986 pchar
  for (char c : text) {
    if (is_unreserved(c) || kAlso.find(c) != std::string_view::npos) {
      out += c;
    } else {
      append_escape(c, out);
    }
  }
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_value(hex[i]);
    const int low = hex_value(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

void set_fingerprint_key(std::string_view key32) {
  // A key of its own, so that fingerprints tell nothing about what the given key protects elsewhere.
  constexpr std::string_view kPurpose = "api-key-rotator fingerprints";
  crypto_generichash(g_fingerprint_key.data(), g_fingerprint_key.size(),
                     reinterpret_cast<const unsigned char*>(kPurpose.data()), kPurpose.size(),
                     reinterpret_cast<const unsigned char*>(key32.data()), key32.size());
}

std::string fingerprint(std::string_view secret) {
  std::array<unsigned char, 16> hash = {};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
                     g_fingerprint_key.data(), g_fingerprint_key.size());
  return to_hex({reinterpret_cast<const char*>(hash.data()), 4});
}

}  // namespace akr
