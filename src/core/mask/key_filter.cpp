// KeyFilter: two neighbouring characters of each spelling, and the three that begin escapes, sixteen at a time.
#include <cstring>
#include <limits>

#include "core/mask/escapes.hpp"
#include "core/mask/key_mask.hpp"

namespace akr {
namespace {

using Lane = unsigned char __attribute__((vector_size(16)));
using Halves = std::uint64_t __attribute__((vector_size(16)));

Lane load(const char* at) {
  Lane lane;
  std::memcpy(&lane, at, sizeof lane);
  return lane;
}

}  // namespace

KeyFilter::KeyFilter(std::string_view key)
    : key_(key),
      shortest_(key.empty() ? std::numeric_limits<std::size_t>::max() : key.size()),
      shortest_base64_((key.size() * 8 + 5) / 6) {}

// Where the characters begin that hold only bits of the key, with 0, 1 and 2 bytes before it.
void KeyFilter::learn_base64() {
  const bool known = choose_pair(0, base64_[0]) && choose_pair(4, base64_[1]) && choose_pair(2, base64_[2]);
  asked_ = known ? Base64::kKnown : Base64::kUnknown;
}

// The first two neighbours from bit `from` on that look the same in both alphabets.  False: there are none.
bool KeyFilter::choose_pair(std::size_t from, Pair& pair) const {
  for (std::size_t at = from; at + 12 <= key_.size() * 8; at += 6) {
    const unsigned first = six_bits(key_, at);
    const unsigned second = six_bits(key_, at + 6);
    if (first >= 62 || second >= 62) continue;
    pair = {static_cast<unsigned char>(kBase64Alphabet[first]), static_cast<unsigned char>(kBase64Alphabet[second])};
    return true;
  }
  return false;
}

// Looks at all of the text, for it is short.  REQUIRES: more than 16 bytes.  The last byte is seen as a neighbour only:
// neither pair nor escape begins there.
template <bool kBase64>
bool KeyFilter::any_pair(std::string_view text) const {
  const Pair plain = {static_cast<unsigned char>(key_[0]), static_cast<unsigned char>(key_[1])};
  const auto hits = [&](const char* at) {
    const Lane here = load(at);
    const Lane next = load(at + 1);
    const auto pair = [&](Pair wanted) { return (here == wanted.first) & (next == wanted.second); };
    auto found = (here == '%') | (here == '\\') | (here == '&') | pair(plain);
    if constexpr (kBase64) found |= pair(base64_[0]) | pair(base64_[1]) | pair(base64_[2]);
    return found;
  };
  const char* const last = text.data() + text.size() - sizeof(Lane) - 1;
  auto found = hits(last);
  for (const char* at = text.data(); at < last; at += sizeof(Lane)) found |= hits(at);
  const auto halves = reinterpret_cast<Halves>(found);
  return (halves[0] | halves[1]) != 0;
}

bool KeyFilter::may_hold_here(std::string_view text) {
  if (key_.size() < KeyMask::kWholeWordBelow || key_[1] == ' ' || text.size() <= sizeof(Lane)) return true;
  if (text.size() < shortest_base64_) return any_pair<false>(text);
  if (asked_ == Base64::kNotAsked) learn_base64();
  return asked_ == Base64::kUnknown || any_pair<true>(text);
}

}  // namespace akr
