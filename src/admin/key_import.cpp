#include "admin/key_import.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include "admin/wire.hpp"
#include "base/pasted_key.hpp"
#include "base/strings.hpp"
#include "core/service/validate.hpp"

namespace akr {
namespace {

namespace json = boost::json;
using Failed = boost::system::error_code;

constexpr std::size_t kLongestName = 16;         // as much of a member's name as is looked at
constexpr std::size_t kLongestText = 64 * 1024;  // more than any key with blanks around it

// Called by the parser for each thing it reads; false ends the reading.
class ImportReader {
 public:
  // NOLINTBEGIN(readability-identifier-naming): the parser asks for them by these names
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  // NOLINTEND(readability-identifier-naming)

  ImportReader(std::size_t most, const KeyInPath& place) : most_(most), place_(place) {}
  ~ImportReader() { wipe(text_); }
  ImportReader(const ImportReader&) = delete;
  ImportReader& operator=(const ImportReader&) = delete;

  bool object() const { return object_; }
  bool list() const { return list_; }
  bool too_many() const { return too_many_; }
  KeyImport take() { return std::move(import_); }

  bool on_document_begin(Failed&) { return true; }
  bool on_document_end(Failed&) { return true; }
  bool on_object_begin(Failed& failed) {
    object_ = object_ || depth_ == 0;
    return open(failed);
  }
  bool on_object_end(std::size_t, Failed&) { return close(); }
  bool on_array_begin(Failed& failed) {
    const bool is_list = at_list();
    if (!open(failed)) return false;
    list_ = list_ || is_list;
    return true;
  }
  bool on_array_end(std::size_t, Failed&) { return close(); }
  bool on_key_part(json::string_view part, std::size_t, Failed&) {
    name_.append(part.substr(0, kLongestName - std::min(kLongestName, name_.size())));
    return true;
  }
  bool on_key(json::string_view part, std::size_t size, Failed& failed) {
    on_key_part(part, size, failed);
    if (depth_ == 1) start_member(name_ == "keys" && size == name_.size());
    name_.clear();
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, Failed&) {
    if (at_element() && text_.size() + part.size() <= kLongestText) text_.append(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t size, Failed& failed) {
    on_string_part(part, size, failed);
    if (!at_element()) return true;
    const bool kept = text_.size() == size;
    const bool goes_on = take_text(kept);
    wipe(text_);
    text_.clear();
    if (!goes_on) failed = json::error::exception;
    return goes_on;
  }
  bool on_number_part(json::string_view, Failed&) { return true; }
  bool on_int64(std::int64_t, json::string_view, Failed&) { return scalar(); }
  bool on_uint64(std::uint64_t, json::string_view, Failed&) { return scalar(); }
  bool on_double(double, json::string_view, Failed&) { return scalar(); }
  bool on_bool(bool, Failed&) { return scalar(); }
  bool on_null(Failed&) { return scalar(); }
  bool on_comment_part(json::string_view, Failed&) { return true; }
  bool on_comment(json::string_view, Failed&) { return true; }

 private:
  bool at_list() const { return in_keys_ && depth_ == 1; }     // the member's value begins
  bool at_element() const { return in_keys_ && depth_ == 2; }  // REQUIRES: the value is an array

  bool open(Failed&) {
    if (at_element()) fail("not_a_string", Secret());
    ++depth_;
    return true;
  }
  bool close() {
    --depth_;
    if (depth_ == 1) in_keys_ = false;
    return true;
  }
  bool scalar() {
    if (at_element()) fail("not_a_string", Secret());
    if (at_list()) in_keys_ = false;
    return true;
  }

  // Of two members of this name the last one counts, as with other readers.
  void start_member(bool keys) {
    in_keys_ = keys;
    if (!keys) return;
    list_ = false;
    index_ = 0;
    import_ = {};
  }

  // False: one key too many.
  bool take_text(bool kept) {
    const Secret key(kept ? trim_pasted(std::string_view(text_)) : std::string_view());
    if (kept && key.empty()) {  // a blank line is no key
      ++index_;
      return true;
    }
    if (!kept || !validate_key(key) || !place_.takes(key.expose())) {
      fail("invalid_value", key);
      return true;
    }
    too_many_ = import_.keys.size() >= most_;
    if (too_many_) return false;
    import_.keys.push_back({key, true});
    ++index_;
    return true;
  }

  void fail(const char* code, const Secret& key) {
    if (import_.listed.size() < KeyImport::kMostListed) import_.listed.push_back({index_, code, mask_key(key)});
    ++import_.failed;
    ++index_;
  }

  const std::size_t most_;
  const KeyInPath& place_;
  KeyImport import_;
  std::string name_;
  std::string text_;
  std::size_t index_ = 0;
  int depth_ = 0;
  bool object_ = false;   // the document is one
  bool in_keys_ = false;  // in the value of "keys"
  bool list_ = false;     // which is an array
  bool too_many_ = false;
};

}  // namespace

Result<KeyImport> read_key_import(std::string_view body, std::size_t most, const KeyInPath& place) {
  json::basic_parser<ImportReader> parser(json::parse_options(), most, place);
  Failed failure;
  const std::size_t read = parser.write_some(false, body.data(), body.size(), failure);
  const ImportReader& reader = parser.handler();
  if (reader.too_many()) {
    return Error{.code = ErrorCode::kInvalid,
                 .message = "keys has more than " + std::to_string(most) +
                            " keys (IMPORT_MAX_KEYS); send the others in a request of their own",
                 .field = "keys"};
  }
  if (failure || read != body.size() || !reader.object()) return Error{ErrorCode::kBadRequest, "Invalid request"};
  if (!reader.list())
    return Error{.code = ErrorCode::kInvalid, .message = "keys must be an array of strings", .field = "keys"};
  return parser.handler().take();
}

json::object import_report(const KeyImport& import, std::span<const AddedKey> added) {
  std::size_t skipped = 0;
  for (const AddedKey& key : added) skipped += key.duplicate;
  json::object report{
      {"success_count", added.size() - skipped}, {"failed_count", import.failed}, {"skipped_count", skipped}};
  if (import.failed == 0) return report;
  json::array masked, failed;
  for (const KeyImport::Failure& failure : import.listed) {
    masked.emplace_back(failure.masked);
    failed.push_back({{"index", failure.index}, {"code", failure.code}});
  }
  report["failed_keys"] = std::move(masked);
  report["failed"] = std::move(failed);
  if (import.failed > import.listed.size()) report["failed_truncated"] = true;
  return report;
}

}  // namespace akr
