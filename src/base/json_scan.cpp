#include "base/json_scan.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/strings.hpp"

namespace akr {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
// What may stand outside of the strings of strict JSON.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (const char c : std::string_view("[]{},:+-.0123456789truefalsnE \t\r\n"))
    plain[static_cast<unsigned char>(c)] = true;
  return plain;
}();
bool is_plain(char c) { return kPlain[static_cast<unsigned char>(c)]; }
bool is_number(std::string_view token) {
  return token.find_first_not_of("0123456789+-.eE") == std::string_view::npos &&
         (token[0] == '-' || (token[0] >= '0' && token[0] <= '9'));
}
bool is_word(std::string_view token) {
  constexpr std::string_view kWords[] = {"true", "false", "null", "NaN", "Infinity", "-Infinity"};
  return std::ranges::find(kWords, token) != std::end(kWords);
}
bool ends_bare(char c) { return c == ',' || c == ']' || c == '}' || is_blank(c); }

// The first '"' or '\' from `at` on.  Two searches by the library beat one loop by far; in windows, because text that
// is full of escapes would else be searched for its far end once per escape.
std::size_t find_special(std::string_view piece, std::size_t at) {
  constexpr std::size_t kWindow = 512;
  for (; at < piece.size(); at += kWindow) {
    const std::string_view window = piece.substr(at, kWindow);
    const std::size_t quote = std::min(window.find('"'), window.size());
    const std::size_t special = std::min(window.substr(0, quote).find('\\'), quote);
    if (special < window.size()) return at + special;
  }
  return piece.size();
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {  // halves of a pair too: such text is nobody's id
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

}  // namespace

void JsonScan::reset() {
  state_ = State::kValue;
  odd_ = false;
  token_.clear();
  pointer_.clear();
  frames_.clear();
}

bool JsonScan::feed(std::string_view piece, Visitor& visitor) {
  std::size_t at = 0;
  while (at < piece.size()) {
    switch (state_) {
      case State::kString:
        at = take_string(piece, at, visitor);
        break;
      case State::kBare:
        at = take_bare(piece, at, visitor);
        break;
      case State::kEscape:
        take_escape(piece[at++]);
        break;
      case State::kUnicode:
        take_unicode(piece[at++]);
        break;
      case State::kValue:
      case State::kName:
      case State::kColon:
      case State::kNext:
        take_mark(piece[at++]);
        break;
      case State::kDeep:
        at = pass_deep(piece, at);
        break;
      case State::kDone:
        expect(piece.find_first_not_of(" \t\r\n", at) == std::string_view::npos);
        return false;
    }
  }
  return state_ != State::kDone;
}

// Nobody may hide the rest of a body behind depth: only what is in the depth is not looked at.
std::size_t JsonScan::pass_deep(std::string_view piece, std::size_t at) {
  for (; at < piece.size() && deep_ > 0; ++at) {
    const char c = piece[at];
    if (deep_string_) {
      if (!deep_escape_ && c == '"') deep_string_ = false;
      deep_escape_ = !deep_escape_ && c == '\\';
      continue;
    }
    if (c == '"') deep_string_ = true;
    expect(c == '"' || is_plain(c));
    if (c == '[' || c == '{') ++deep_;
    if (c == ']' || c == '}') --deep_;
  }
  if (deep_ == 0) state_ = State::kNext;
  return at;
}

std::size_t JsonScan::take_string(std::string_view piece, std::size_t at, Visitor& visitor) {
  const std::size_t end = find_special(piece, at);
  const std::string_view run = piece.substr(at, end - at);
  if (end == piece.size()) {
    keep(run);
    return end;
  }
  if (piece[end] == '\\') {
    keep(run);
    state_ = State::kEscape;
    return end + 1;
  }
  const bool whole = token_.empty() && !too_long_ && run.size() <= kLongestText;
  if (!whole) keep(run);
  end_string(whole ? run : std::string_view(token_), visitor);
  return end + 1;
}

std::size_t JsonScan::take_bare(std::string_view piece, std::size_t at, Visitor& visitor) {
  std::size_t end = at;  // a loop: such tokens are short
  while (end < piece.size() && !ends_bare(piece[end])) ++end;
  keep(piece.substr(at, end - at));
  if (end == piece.size()) return end;
  state_ = State::kNext;
  expect(!too_long_ && (is_number(token_) || is_word(token_)));
  const bool number = !too_long_ && (token_[0] == '-' || (token_[0] >= '0' && token_[0] <= '9'));
  if (number && !frames_.empty()) visitor.scalar(*this, token_);
  return end;
}

void JsonScan::take_escape(char c) {
  state_ = State::kString;
  constexpr std::string_view kFrom = "bfnrt";
  constexpr std::string_view kTo = "\b\f\n\r\t";
  if (c == 'u') {
    state_ = State::kUnicode;
    unicode_left_ = 4;
    unicode_ = 0;
    return;
  }
  const auto known = kFrom.find(c);
  expect(known != std::string_view::npos || c == '"' || c == '\\' || c == '/');
  const char meant = known == std::string_view::npos ? c : kTo[known];
  keep({&meant, 1});
}

void JsonScan::take_unicode(char c) {
  const int digit = hex_value(c);
  unicode_ = unicode_ << 4 | static_cast<std::uint32_t>(std::max(digit, 0));
  if (digit < 0) too_long_ = true;
  expect(digit >= 0);
  if (--unicode_left_ > 0) return;
  state_ = State::kString;
  std::string text;
  append_utf8(text, unicode_);
  keep(text);
}

// One character outside of strings, numbers and words.
void JsonScan::take_mark(char c) {
  if (is_blank(c)) return;
  if (c == '{') return open(false);
  if (c == '[') return open(true);
  if (c == '}' || c == ']') return close(c == ']');
  if (c == ',') return next_element();
  if (c == ':') {
    expect(state_ == State::kColon);
    state_ = State::kValue;
    return;
  }
  expect(state_ == State::kValue || (state_ == State::kName && c == '"'));
  token_.clear();
  too_long_ = false;
  name_ = state_ == State::kName;
  number_ = c != '"';
  state_ = number_ ? State::kBare : State::kString;
  if (c != '"') keep({&c, 1});
}

void JsonScan::open(bool array) {
  expect(state_ == State::kValue);
  if (frames_.size() >= kDeepest) {
    state_ = State::kDeep;
    deep_ = 1;
    deep_string_ = deep_escape_ = false;
    return;
  }
  if (!array) ++objects_;
  frames_.push_back({.begin = pointer_.size(), .object = array ? object() : objects_, .array = array});
  ++places_;
  state_ = array ? State::kValue : State::kName;
  if (array) set_index(0);
}

void JsonScan::close(bool array) {
  ++places_;
  expect(!frames_.empty() && frames_.back().array == array);
  if (!frames_.empty()) {
    pointer_.resize(frames_.back().begin);
    frames_.pop_back();
  }
  state_ = frames_.empty() ? State::kDone : State::kNext;
}

void JsonScan::next_element() {
  if (frames_.empty()) {
    state_ = State::kDone;
    return;
  }
  expect(state_ == State::kNext);
  Frame& frame = frames_.back();
  state_ = frame.array ? State::kValue : State::kName;
  if (frame.array) set_index(++frame.index);
}

void JsonScan::keep(std::string_view text) {
  if (too_long_) return;
  too_long_ = token_.size() + text.size() > kLongestText;
  token_ += text.substr(0, kLongestText - token_.size());
}

void JsonScan::end_string(std::string_view text, Visitor& visitor) {
  if (!name_) {
    state_ = State::kNext;
    if (frames_.empty()) return;
    if (too_long_) return visitor.long_text(*this, token_);
    visitor.scalar(*this, text);
    return;
  }
  state_ = State::kColon;
  ++places_;
  const bool usable = !too_long_ && text.size() <= kLongestName;
  set_token(usable ? text : std::string_view());
}

void JsonScan::set_token(std::string_view name) {
  if (frames_.empty()) return;
  pointer_.resize(frames_.back().begin);
  pointer_ += '/';
  for (const char c : name) {
    if (c == '~') {
      pointer_ += "~0";
    } else if (c == '/') {
      pointer_ += "~1";
    } else {
      pointer_ += c;
    }
  }
}

void JsonScan::set_index(std::uint32_t index) {
  char digits[12];
  const char* const end = std::to_chars(digits, digits + sizeof digits, index).ptr;
  pointer_.resize(frames_.back().begin);
  pointer_ += '/';
  pointer_.append(digits, static_cast<std::size_t>(end - digits));
}

std::uint64_t JsonScan::object() const { return frames_.empty() ? 0 : frames_.back().object; }

std::string_view JsonScan::member(std::size_t up) const {
  std::size_t end = pointer_.size();
  for (std::size_t i = frames_.size(); i-- > 0;) {
    const Frame& frame = frames_[i];
    const std::string_view token = std::string_view(pointer_).substr(frame.begin, end - frame.begin);
    end = frame.begin;
    if (frame.array) continue;
    if (up-- == 0) return token.substr(std::min<std::size_t>(1, token.size()));
  }
  return {};
}

bool JsonScan::inside(std::string_view name) const {
  std::size_t end = pointer_.size();
  bool outside = false;  // of the member that the token is the value of
  for (std::size_t i = frames_.size(); i-- > 0;) {
    const Frame& frame = frames_[i];
    const std::string_view token = std::string_view(pointer_).substr(frame.begin, end - frame.begin);
    end = frame.begin;
    if (frame.array) continue;
    if (outside && token.substr(std::min<std::size_t>(1, token.size())) == name) return true;
    outside = true;
  }
  return false;
}

}  // namespace akr
