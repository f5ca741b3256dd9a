// http1_scan.hpp - the inner loops of the head parser: how far does a run of allowed bytes reach?  And what a Host is.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/strings.hpp"

namespace akr::net::scan {

constexpr std::array<bool, 256> make_table(std::string_view extra, bool alnum) {
  std::array<bool, 256> table = {};
  for (char c : extra) table[static_cast<unsigned char>(c)] = true;
  if (alnum) {
    for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  }
  return table;
}

inline constexpr std::array<bool, 256> kToken = make_table("!#$%&'*+-.^_`|~", true);  // RFC 9110 section 5.6.2
inline constexpr std::array<bool, 256> kHost = make_table("-._~%!$&'()*+;=", true);   // RFC 3986 reg-name, no comma

inline bool is_token_char(char c) { return kToken[static_cast<unsigned char>(c)]; }
inline bool is_host_char(char c) { return kHost[static_cast<unsigned char>(c)]; }
inline bool is_hex(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

#ifdef __SSE2__
inline __m128i load16(const char* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
// Bytes of `bytes` from `first` on, at most `span` behind it: 0xff.
inline __m128i within(__m128i bytes, char first, char span) {
  const __m128i offset = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
  return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8(span)), offset);
}

// A bit for each of sixteen bytes that is no letter, digit or '-': what names are made of, all but a few.
inline unsigned unusual16(const char* at) {
  const __m128i bytes = load16(at);
  const __m128i letter = within(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 'z' - 'a');
  const __m128i dash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'));
  const __m128i usual = _mm_or_si128(_mm_or_si128(letter, within(bytes, '0', 9)), dash);
  return ~static_cast<unsigned>(_mm_movemask_epi8(usual)) & 0xffffU;
}
#endif

inline std::size_t skip_token(std::string_view text, std::size_t at) {
#ifdef __SSE2__
  while (at + 16 <= text.size()) {
    const unsigned found = unusual16(text.data() + at);
    at += found == 0 ? 16 : static_cast<std::size_t>(std::countr_zero(found));
    if (found == 0) continue;
    if (!is_token_char(text[at])) return at;
    ++at;
  }
#endif
  while (at < text.size() && is_token_char(text[at])) ++at;
  return at;
}

// Eight bytes at a time: non-zero where a byte is below 0x20 or is 0x7f (bit tricks after "Hacker's Delight" 6-1).
inline std::uint64_t controls(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  constexpr std::uint64_t kHigh = 0x8080808080808080ULL;
  const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
  const std::uint64_t del = word ^ (kOnes * 0x7f);
  return (below_space | ((del - kOnes) & ~del)) & kHigh;
}

inline std::uint64_t load8(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, 8);
  return word;
}

#ifdef __SSE2__
// The same, sixteen bytes at a time: a bit for each byte below 0x20 (but HTAB) and for 0x7f.
inline unsigned forbidden16(const char* at) {
  const __m128i bytes = load16(at);
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del)));
}
#endif

// VCHAR, obs-text, SP, HTAB (RFC 9110 section 5.5).
inline std::size_t skip_field_value(std::string_view text, std::size_t at) {
#ifdef __SSE2__
  while (at + 16 <= text.size()) {
    const unsigned found = forbidden16(text.data() + at);
    if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found));
    at += 16;
  }
#endif
  for (;;) {
    while (at + 8 <= text.size() && controls(load8(text.data() + at)) == 0) at += 8;
    while (at < text.size()) {
      const auto c = static_cast<unsigned char>(text[at]);
      if ((c < 0x20 && c != '\t') || c == 0x7f) return at;
      ++at;
      if (c == '\t') break;
    }
    if (at >= text.size()) return at;
    if (at + 8 > text.size()) continue;
  }
}

// Visible ASCII without '#': a fragment never travels (RFC 9112 section 3.2), and bytes over 0x7f must be escaped.
inline std::size_t skip_target(std::string_view text, std::size_t at) {
#ifdef __SSE2__
  while (at + 16 <= text.size()) {
    const __m128i bytes = load16(text.data() + at);
    const __m128i hash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));
    const __m128i allowed = _mm_andnot_si128(hash, within(bytes, 0x21, 0x7e - 0x21));
    const unsigned found = ~static_cast<unsigned>(_mm_movemask_epi8(allowed)) & 0xffffU;
    if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found));
    at += 16;
  }
#endif
  while (at < text.size()) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c <= 0x20 || c >= 0x7f || c == '#') break;
    ++at;
  }
  return at;
}

// A name or an address, with a port or without (RFC 9110 section 7.2).
inline bool valid_host(std::string_view host) {
  if (host.empty() || host.size() > 255 + 6) return false;
  if (host.front() == '[') {
    const auto end = host.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    for (char c : host.substr(1, end - 1)) {
      if (!is_hex(c) && c != ':' && c != '.') return false;
    }
    host.remove_prefix(end + 1);
    if (host.empty()) return true;
    if (host.front() != ':') return false;
    return host.size() == 1 || parse_u64(host.substr(1)).value_or(65536) <= 65535;
  }
  const auto colon = host.find(':');
  if (colon == 0) return false;
  for (char c : host.substr(0, colon)) {
    if (!is_host_char(c)) return false;
  }
  if (colon == std::string_view::npos || colon + 1 == host.size()) return true;
  return parse_u64(host.substr(colon + 1)).value_or(65536) <= 65535;
}

}  // namespace akr::net::scan
