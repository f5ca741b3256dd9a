#include "base/pasted_key.hpp"

#include <algorithm>
#include <iterator>

namespace akr {
namespace {

// In UTF-8, by their bytes: U+0020, U+0009 to U+000D; U+0085, U+00A0, U+00AD; U+034F, U+061C, U+1680, U+180E; U+2000 to
// U+200F, U+2028 to U+202F, U+205F to U+206F; U+3000, U+FE0F, U+FEFF.
struct Unseen {
  std::string_view lead;
  unsigned char first, last;  // of the byte after it
};
constexpr Unseen kUnseen[] = {{"", 0x20, 0x20},         {"", 0x09, 0x0d},         {"\xc2", 0x85, 0x85},
                              {"\xc2", 0xa0, 0xa0},     {"\xc2", 0xad, 0xad},     {"\xcd", 0x8f, 0x8f},
                              {"\xd8", 0x9c, 0x9c},     {"\xe1\x9a", 0x80, 0x80}, {"\xe1\xa0", 0x8e, 0x8e},
                              {"\xe2\x80", 0x80, 0x8f}, {"\xe2\x80", 0xa8, 0xaf}, {"\xe2\x81", 0x9f, 0xaf},
                              {"\xe3\x80", 0x80, 0x80}, {"\xef\xb8", 0x8f, 0x8f}, {"\xef\xbb", 0xbf, 0xbf}};

bool is(const Unseen& unseen, std::string_view character) {
  const auto byte = static_cast<unsigned char>(character.back());
  return character.starts_with(unseen.lead) && byte >= unseen.first && byte <= unseen.last;
}

// Bytes of the unseen character at the front or at the end; 0: there is none.
std::size_t unseen_at(std::string_view text, bool front) {
  for (const Unseen& unseen : kUnseen) {
    const std::size_t length = unseen.lead.size() + 1;
    if (text.size() < length) continue;
    if (is(unseen, front ? text.substr(0, length) : text.substr(text.size() - length))) return length;
  }
  return 0;
}

}  // namespace

std::string_view trim_pasted(std::string_view key) {
  while (const std::size_t length = unseen_at(key, true)) key.remove_prefix(length);
  while (const std::size_t length = unseen_at(key, false)) key.remove_suffix(length);
  return key;
}

}  // namespace akr
