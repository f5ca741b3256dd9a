#include "core/mask/key_mask.hpp"

#include <algorithm>
#include <cstring>

#include "core/mask/escapes.hpp"

namespace akr {
namespace {

constexpr std::size_t kBase64From = 3;  // shorter keys leave too few bits to be told from chance
constexpr std::size_t kSeenBefore = 8;  // bytes kept of what has left: word_before() looks at six
constexpr std::size_t kCutFrom = 4;     // characters of a key that was cut
constexpr unsigned kNoValue = 64;

unsigned base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 26;
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0') + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : kNoValue;
}

// The key itself, with the interface of Base64Spelling.
class PlainSpelling {
 public:
  explicit PlainSpelling(std::string_view key) : key_(key) {}
  std::size_t size() const { return key_.size(); }
  bool fits(std::size_t index, char c) const { return key_[index] == c || (c == '+' && key_[index] == ' '); }

 private:
  std::string_view key_;
};

struct Match {
  enum class Kind : std::uint8_t { kNo, kBegun, kWhole };  // kBegun: the text ended too early
  Kind kind = Kind::kNo;
  std::size_t length = 0;      // of the text
  std::size_t characters = 0;  // of the spelling
};

// One character of a spelling at the front of `text`: its length, 0 = it is another one.
template <class Spelling>
std::size_t match_unit(const Spelling& spelling, std::size_t index, std::string_view text) {
  if (begins_escape(text.front())) {
    const Readings readings = read_escape(text);
    for (std::size_t i = 0; i < readings.count; ++i) {
      const Reading& reading = readings.all[i];
      if (reading.code < 0x80 && spelling.fits(index, static_cast<char>(reading.code))) return reading.length;
    }
  }
  return spelling.fits(index, text.front()) ? 1 : 0;
}

template <class Spelling>
Match match_spelling(const Spelling& spelling, std::string_view text) {
  std::size_t at = 0;
  bool cut = false;  // an escape may have been: what stands there may come to mean something else
  for (std::size_t index = 0; index < spelling.size(); ++index) {
    if (at == text.size()) return {Match::Kind::kBegun, at, index};
    cut |= begins_escape(text[at]) && text.size() - at < KeyMask::kLongestUnit;
    const std::size_t length = match_unit(spelling, index, text.substr(at));
    if (length == 0) return {cut ? Match::Kind::kBegun : Match::Kind::kNo, text.size(), index};
    at += length;
  }
  return {Match::Kind::kWhole, at, spelling.size()};
}

// A short key must be a word of its own.
Match as_word(Match match, std::string_view text, std::size_t at, bool more) {
  if (match.kind == Match::Kind::kNo || word_before(text, at)) return {};
  const std::size_t end = at + match.length;
  if (match.kind == Match::Kind::kBegun || (end == text.size() && !more)) return match;
  if (end == text.size()) return {Match::Kind::kBegun, match.length, match.characters};
  return is_word(text[end]) ? Match{} : match;
}

bool better(const Match& a, const Match& b) { return a.kind != b.kind ? a.kind > b.kind : a.length > b.length; }

Match match_plain(std::string_view key, std::string_view rest) {
  // Keys that hold escape characters themselves are looked for as they are first.
  if (rest.starts_with(key)) return {Match::Kind::kWhole, key.size(), key.size()};
  if (key.starts_with(rest)) return {Match::Kind::kBegun, rest.size(), rest.size()};
  return match_spelling(PlainSpelling(key), rest);
}

// The best of all spellings that begins at `at`.
Match match_at(std::string_view key, std::string_view text, std::size_t at, bool more) {
  const std::string_view rest = text.substr(at);
  Match best = match_plain(key, rest);
  if (key.size() < KeyMask::kWholeWordBelow) best = as_word(best, text, at, more);
  if (key.size() < kBase64From) return best;
  for (unsigned before = 0; before < 3; ++before) {
    const Match match = match_spelling(Base64Spelling(key, before), rest);
    if (better(match, best)) best = match;
  }
  return best;
}

std::array<bool, 256> first_bytes(std::string_view key) {
  std::array<bool, 256> begins = {};
  const auto note = [&begins](char c) { begins[static_cast<unsigned char>(c)] = true; };
  for (const char c : {'%', '\\', '&', key.front()}) note(c);
  if (key.front() == ' ') note('+');
  if (key.size() < kBase64From) return begins;
  for (unsigned before = 0; before < 3; ++before) {
    const Base64Spelling spelling(key, before);
    for (const char c : kBase64Alphabet) {
      if (spelling.fits(0, c)) note(c);
    }
    if (spelling.fits(0, '-')) note('-');
    if (spelling.fits(0, '_')) note('_');
  }
  return begins;
}

struct Scanned {
  std::size_t decided = 0;  // up to here no key begins that is not masked
  bool found = false;
};

enum class Rest : std::uint8_t { kComes, kNothing, kWasCut };  // of the text

// Masks what is found in text[from, ...).  If more comes, stops where a key may begin that is not all there yet.
Scanned scan(std::string_view key, const std::array<bool, 256>& begins, std::span<char> bytes, std::size_t from,
             Rest rest) {
  const std::string_view text(bytes.data(), bytes.size());
  Scanned scanned;
  std::size_t at = from;
  while (at < text.size()) {
    if (!begins[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    const Match match = match_at(key, text, at, rest == Rest::kComes);
    const bool begun = match.kind == Match::Kind::kBegun;
    if (begun && rest == Rest::kComes) break;
    const bool cut = begun && rest == Rest::kWasCut && match.characters >= kCutFrom;
    const bool hit = cut || match.kind == Match::Kind::kWhole;
    if (hit) std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), match.length, '*');
    scanned.found |= hit;
    at += hit ? match.length : 1;
  }
  scanned.decided = at;
  return scanned;
}

}  // namespace

Base64Spelling::Base64Spelling(std::string_view key, unsigned before)
    : key_(key), before_(before * 8), begin_(before_ / 6), end_((before_ + key.size() * 8 - 1) / 6 + 1) {}

unsigned Base64Spelling::value(std::size_t index) const { return six_bits(key_, (begin_ + index) * 6 - before_); }

bool Base64Spelling::fits(std::size_t index, char c) const {
  const unsigned given = base64_value(c);
  if (given == kNoValue) return false;
  const std::size_t first = (begin_ + index) * 6;
  const std::size_t end = before_ + key_.size() * 8;
  if (first < before_) {  // its high bits are somebody else's
    const std::size_t ours = first + 6 - before_;
    const unsigned known = (1U << ours) - 1;
    return (given & known) == static_cast<unsigned>(static_cast<unsigned char>(key_.front()) >> (8 - ours));
  }
  if (first + 6 > end) return given >> (first + 6 - end) == value(index) >> (first + 6 - end);
  return given == value(index);
}

bool KeyMask::mask(std::span<char> text, End end) const {
  if (key_.empty() || text.size() < std::min(key_.size(), kCutFrom)) return false;
  return scan(key_, first_bytes(key_), text, 0, end == End::kCut ? Rest::kWasCut : Rest::kNothing).found;
}

KeyMaskStream::KeyMaskStream(std::string_view key) : key_(key), begins_() {
  if (!key.empty()) begins_ = first_bytes(key);
}

void KeyMaskStream::take(std::string_view piece, std::string& out) {
  if (key_.empty()) {
    out += piece;
    return;
  }
  text_ += piece;
  const Scanned scanned = scan(key_, begins_, text_, waiting_, Rest::kComes);
  found_ |= scanned.found;
  release(scanned.decided, out);
}

void KeyMaskStream::finish(std::string& out) {
  if (key_.empty()) return;
  found_ |= scan(key_, begins_, text_, waiting_, Rest::kNothing).found;
  release(text_.size(), out);
}

void KeyMaskStream::release(std::size_t until, std::string& out) {
  out.append(text_, waiting_, until - waiting_);
  const std::size_t drop = until > kSeenBefore ? until - kSeenBefore : 0;
  text_.erase(0, drop);
  waiting_ = until - drop;
}

}  // namespace akr
