// form_reader.hpp - the fields of a form (multipart/form-data or application/x-www-form-urlencoded) that arrives in
// pieces, for whoever looks for names in it.
//
// Reads as the most lenient reader would: what any of them takes for the end of a part is one here, and what would be
// read in two ways is said to be unreadable.  One form, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace akr {

class FormReader {
 public:
  static constexpr std::size_t kLongestValue = 64 * 1024;
  static constexpr std::size_t kLongestOfFile = 2048;  // also of a value that is the content of a file

  struct Field {
    std::string_view name;   // "" where it is spelled so that readers differ
    std::string_view value;  // its beginning, if it is cut
    bool file = false;       // it has the name of a file
    bool cut = false;
  };
  class Visitor {
   public:
    virtual ~Visitor() = default;
    virtual void field(const Field& field) = 0;
    // The form may say what another reader sees and this one does not.
    virtual void unreadable() = 0;
  };

  // `content_type`: the value of the field; whatever is no multipart/* is read as urlencoded.
  explicit FormReader(std::string_view content_type);
  void feed(std::string_view piece, Visitor& visitor);
  void end(Visitor& visitor);

 private:
  enum class State : std::uint8_t { kBefore, kLineEnd, kHead, kContent };

  void feed_multipart(bool over, Visitor& visitor);
  std::size_t take_content(std::size_t at, bool over, Visitor& visitor);
  std::size_t take_head(std::size_t at, Visitor& visitor);
  void keep(std::string_view content);
  void end_part(Visitor& visitor);
  void end_parameter(Visitor& visitor);

  std::string delimiter_;  // "\n--boundary"; "" = urlencoded
  bool readable_ = true;
  State state_ = State::kBefore;
  std::string window_;  // what came and is not understood yet
  std::string head_;    // of the part
  std::string value_;
  bool file_ = false;
  bool cut_ = false;
};

}  // namespace akr
