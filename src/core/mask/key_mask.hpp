// key_mask.hpp - finds the upstream key in text that is about to leave, however it is spelled, and overwrites it (D07).
//
// Spellings: the key as it is; any of its characters percent-encoded ("%2D", "%2d", and once or twice more: "%252D"),
// JSON-escaped ("\/", "\u002d", also in a text within a text: "\\u002d") or an HTML reference ("&#x2D;", "&amp;"),
// mixed at will; '+' for a space; base64, standard or URL-safe, of any text that holds the key ("user:key"), its
// characters escaped in the same ways.  A prefix ("Bearer ") needs no thought: the key behind it is found.
//
// A key under kWholeWordBelow characters is taken for a key only where neither a letter nor a digit stands beside it,
// else it would eat pieces of ordinary words; its base64 is looked for from three characters on.
//
// Every masked byte becomes '*' and none is added, so lengths that were announced stay right.  Pure.  Views of the key
// are kept: its Secret outlives the object.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace akr {

// The base64 of a key inside of a longer text, as what its characters must be.  `before` mod 3 bytes stand before the
// key: there are three such spellings.  The first and the last character may hold bits that are not the key's.
class Base64Spelling {
 public:
  Base64Spelling(std::string_view key, unsigned before);
  std::size_t size() const { return end_ - begin_; }
  // Is `c` right at `index`?
  bool fits(std::size_t index, char c) const;

 private:
  // The six bits at `index`; those that lie behind the key are 0.
  unsigned value(std::size_t index) const;

  std::string_view key_;
  std::size_t before_;  // bits
  std::size_t begin_;   // of the characters that hold bits of the key, counted from the group's first
  std::size_t end_;
};

class KeyMask {
 public:
  static constexpr std::size_t kWholeWordBelow = 8;
  static constexpr std::size_t kLongestUnit = 12;  // bytes that one character of a spelling may take

  explicit KeyMask(std::string_view key) : key_(key) {}

  // Is the text whole, or may the key have been cut at its end?
  enum class End : std::uint8_t { kWhole, kCut };
  // Masks in `text`.  True if there was something.  kCut: a beginning of the key at the very end, of
  // four characters or more, is masked too.
  bool mask(std::span<char> text, End end = End::kWhole) const;
  bool mask(std::string& text, End end = End::kWhole) const { return mask(std::span(text.data(), text.size()), end); }

 private:
  std::string_view key_;
};

// Tells texts that cannot hold the key, for what usually holds none, as the fields of good answers: made once, and then
// nothing for a text shorter than the key, else an instruction or two per byte.
class KeyFilter {
 public:
  explicit KeyFilter(std::string_view key);

  // False: no spelling is in `text`.  True: KeyMask has to look.
  bool may_hold(std::string_view text) { return text.size() >= shortest_ && may_hold_here(text); }

 private:
  struct Pair {  // of neighbours
    unsigned char first = 0;
    unsigned char second = 0;
  };
  enum class Base64 : std::uint8_t { kNotAsked, kKnown, kUnknown };  // of base64_; unknown: every text may hold it
  void learn_base64();
  bool choose_pair(std::size_t from, Pair& pair) const;
  template <bool kBase64>
  bool any_pair(std::string_view text) const;
  bool may_hold_here(std::string_view text);

  std::string_view key_;
  std::size_t shortest_;         // text that can hold a spelling
  std::size_t shortest_base64_;  // the same for base64
  Base64 asked_ = Base64::kNotAsked;
  std::array<Pair, 3> base64_;
};

// The same for text that comes piece by piece: what may be the beginning of the key waits for the next piece.  Holds
// at most a longest spelling (kLongestUnit * (4/3 of the key)).
class KeyMaskStream {
 public:
  explicit KeyMaskStream(std::string_view key);

  // Appends to `out` what is decided.
  void take(std::string_view piece, std::string& out);
  // Nothing more comes: appends the rest.
  void finish(std::string& out);
  // Was any key seen so far?
  bool found() const { return found_; }

 private:
  void release(std::size_t until, std::string& out);

  std::string_view key_;
  std::array<bool, 256> begins_;
  std::string text_;         // some bytes that have left, then those that wait
  std::size_t waiting_ = 0;  // first of the latter
  bool found_ = false;
};

}  // namespace akr
