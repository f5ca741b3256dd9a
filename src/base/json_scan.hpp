// json_scan.hpp - walks over JSON that arrives in pieces, or whose end is missing, and tells its strings and numbers
// with the place where they stand.  Keeps nothing but that place and the token it is in.
//
// Not a validator: broken JSON gives some tokens or none, never a failure.  But what another reader may understand
// otherwise is noted: odd().  One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace akr {

class JsonScan {
 public:
  static constexpr std::size_t kDeepest = 64;        // what is nested more deeply is passed over
  static constexpr std::size_t kLongestText = 2048;  // of longer strings the beginning is told
  static constexpr std::size_t kLongestName = 128;   // of members; below a longer one nothing has a pointer

  class Visitor {
   public:
    virtual ~Visitor() = default;
    // A string (unescaped) or a number (as written); true, false and null are not told.  `text` is valid for the call.
    virtual void scalar(const JsonScan& at, std::string_view text) = 0;
    // In place of it, a string that is too long or holds a broken escape; `beginning` as far as it was read, "" if
    // there was nothing to keep.  (A number that is too long is not told.)
    virtual void long_text(const JsonScan& /*at*/, std::string_view /*beginning*/) {}
  };

  // Takes the next piece.  False: there is nothing more to find (the value ended); what follows it may be fed all the
  // same, for odd().
  bool feed(std::string_view piece, Visitor& visitor);
  void reset();

  // RFC 6901 pointer of the token, as "/data/0/id".
  std::string_view pointer() const { return pointer_; }
  // Name of the member that the token is the value of, or whose array it is in; `up` levels further out: for the token
  // at "/a/b/0/c" these are "c", "b", "a".  Escaped as in pointers; "" if there is none.
  std::string_view member(std::size_t up = 0) const;
  // Is the token inside of a member of this name, at any depth?
  bool inside(std::string_view name) const;
  // Of the innermost object that the token is in; no two have the same.  0: it is in none.
  std::uint64_t object() const;
  // Equal for two tokens only if they are elements of one array with no other container between them, so that all but
  // the last token of their pointers is the same.
  std::uint64_t place() const { return places_; }
  bool at_number() const { return number_; }
  // It is no JSON as RFC 8259 writes it, so that lenient readers may see other members than were told: names or strings
  // in other quotes or in none, comments, marks that are missing or out of place, something behind the value.  Commas
  // before the end of a container, and NaN and Infinity, hide nothing and are not counted.
  bool odd() const { return odd_; }
  std::size_t depth() const { return frames_.size(); }

 private:
  enum class State : std::uint8_t { kValue, kName, kColon, kNext, kString, kEscape, kUnicode, kBare, kDeep, kDone };
  struct Frame {
    std::size_t begin = 0;     // of its own token in pointer_, with the slash
    std::uint64_t object = 0;  // counted; of an array, that of the object it is in
    std::uint32_t index = 0;
    bool array = false;
  };

  std::size_t take_string(std::string_view piece, std::size_t at, Visitor& visitor);
  std::size_t take_bare(std::string_view piece, std::size_t at, Visitor& visitor);
  std::size_t pass_deep(std::string_view piece, std::size_t at);
  void take_escape(char c);
  void take_unicode(char c);
  void take_mark(char c);
  void expect(bool fits) { odd_ = odd_ || !fits; }
  void open(bool array);
  void close(bool array);
  void next_element();
  void keep(std::string_view text);
  void end_string(std::string_view text, Visitor& visitor);
  void set_token(std::string_view name);
  void set_index(std::uint32_t index);

  State state_ = State::kValue;
  bool name_ = false;    // the string is a member's name
  bool number_ = false;  // the token is no string
  bool odd_ = false;
  bool too_long_ = false;  // and so the token is not told
  std::uint8_t unicode_left_ = 0;
  bool deep_string_ = false;  // of what is passed over: in a string, behind a backslash there
  bool deep_escape_ = false;
  std::uint64_t deep_ = 0;  // how many containers are open there
  std::uint32_t unicode_ = 0;
  std::uint64_t objects_ = 0;
  std::uint64_t places_ = 0;
  std::string token_;
  std::string pointer_;
  std::vector<Frame> frames_;
};

}  // namespace akr
