#include "llm/clue_search.hpp"

#include <algorithm>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace akr {
namespace {

// Beside their first character clues are known by the two that begin here; those before are shared by too many words.
[[maybe_unused]] constexpr std::size_t kMark = 4;  // unused where there is no SSE2

bool clue_at(std::string_view text, std::size_t at, std::span<const std::string_view> clues) {
  return std::any_of(clues.begin(), clues.end(),
                     [&](std::string_view clue) { return text.substr(at).starts_with(clue); });
}

// Looks at each place on its own.
bool search_from(std::string_view text, std::size_t at, std::span<const std::string_view> clues) {
  for (at = text.find(clues[0][0], at); at != std::string_view::npos; at = text.find(clues[0][0], at + 1)) {
    if (clue_at(text, at, clues)) return true;
  }
  return false;
}

}  // namespace

bool has_clue(std::string_view text, std::span<const std::string_view> clues) {
  if (clues.empty()) return false;
  std::size_t at = 0;
#if defined(__SSE2__)
  const auto all = [](char c) { return _mm_set1_epi8(c); };
  const __m128i first = all(clues.front()[0]);
  const __m128i one[] = {all(clues.front()[kMark]), all(clues.front()[kMark + 1])};
  const __m128i other[] = {all(clues.back()[kMark]), all(clues.back()[kMark + 1])};
  const auto candidates = [&](const char* bytes) {
    const auto* const begin = reinterpret_cast<const __m128i*>(bytes);
    const __m128i mark = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + kMark));
    const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + kMark + 1));
    const __m128i fits_one = _mm_and_si128(_mm_cmpeq_epi8(mark, one[0]), _mm_cmpeq_epi8(next, one[1]));
    const __m128i fits_other = _mm_and_si128(_mm_cmpeq_epi8(mark, other[0]), _mm_cmpeq_epi8(next, other[1]));
    return _mm_and_si128(_mm_cmpeq_epi8(_mm_loadu_si128(begin), first), _mm_or_si128(fits_one, fits_other));
  };
  constexpr std::size_t kBlock = 32 + kMark + 1;
  while (clues.size() <= 2 && text.size() >= kBlock && at + kMark + 1 < text.size()) {
    at = std::min(at, text.size() - kBlock);  // the last block overlaps the one before
    const __m128i low = candidates(text.data() + at);
    const __m128i high = candidates(text.data() + at + 16);
    auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(low)) | static_cast<std::uint32_t>(_mm_movemask_epi8(high))
                                                                         << 16;
    for (; mask != 0; mask &= mask - 1) {
      if (clue_at(text, at + static_cast<std::size_t>(__builtin_ctz(mask)), clues)) return true;
    }
    at += 32;
  }
#endif
  return search_from(text, at, clues);
}

}  // namespace akr
