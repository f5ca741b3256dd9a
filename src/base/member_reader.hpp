// member_reader.hpp - THE reader of JSON that people write: takes the members of an object into values, one line each,
// and names the first thing that is wrong.  (Bytes on the data path are scanned, not read: json_scan.hpp.)  Pure.
//
//   MemberReader in(object);
//   in.text("name", service.name);
//   if (auto read = in.result(); !read) return read.error();
//
//   read_json_list<Upstream>(value, "upstreams", [](MemberReader& in, Upstream& out) { in.required("url"); ... });
//
// Absent: the value stays.  null: the value becomes what the caller says, or is refused.  After the first error nothing
// is read any more.  Errors are kInvalid with the member as Error::field, like "upstreams[2].weight".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/result.hpp"

namespace akr {

// kInvalid, message "FIELD WHAT".
Error wrong_json(std::string field, std::string_view what);

class MemberReader {
 public:
  // `prefix` goes before each name in an error's field: "limits." for what stands in the member "limits".  The object
  // and all names outlive this.
  explicit MemberReader(const boost::json::object& object, std::string prefix = "")
      : object_(object), prefix_(std::move(prefix)) {}

  bool has(std::string_view name);  // present, null or not; counts as known
  void required(std::string_view name);

  void text(std::string_view name, std::string& value);  // null: refused
  void text(std::string_view name, std::string& value, std::string_view if_null);
  void texts(std::string_view name, std::vector<std::string>& values);
  void flag(std::string_view name, bool& value, std::optional<bool> if_null = std::nullopt);

  // A whole number from `low` to `high`.
  template <class Number>
  void whole(std::string_view name, Number& value, std::int64_t low, std::int64_t high,
             std::type_identity_t<std::optional<Number>> if_null = std::nullopt) {
    const auto* member = find(name);
    if (member == nullptr) return;
    if (member->is_null() && if_null) {
      value = *if_null;
    } else if (const auto number = number_between(name, *member, low, high)) {
      value = static_cast<Number>(*number);
    }
  }
  // nullptr if absent, or after an error; a null is found too.
  const boost::json::value* any(std::string_view name) { return find(name); }

  void refuse(const Error& error);                               // as it is, unless there was an error before
  void refuse(std::string_view name, std::string_view message);  // kInvalid, unless there was an error before
  Result<void> result() const;

  // Members that nobody asked for, in the object's order.
  std::vector<std::string> unknown() const;
  // They are wrong: a weight that is misspelt must not silently become the default.
  void refuse_unknown(std::string_view message);

 private:
  const boost::json::value* find(std::string_view name);
  std::optional<std::int64_t> number_between(std::string_view name, const boost::json::value& value, std::int64_t low,
                                             std::int64_t high);

  const boost::json::object& object_;
  const std::string prefix_;
  std::vector<std::string_view> known_;
  std::optional<Error> error_;
};

// "must be a whole number from 0 to 9, not -1".
std::string out_of_range(const boost::json::value& given, std::int64_t low, std::int64_t high);

std::string list_place(std::string_view name, std::size_t index);  // "upstreams[2]"

// The value that `text` is; `name` is its field in the error.
Result<boost::json::value> parse_json_text(std::string_view text, std::string_view name);
// kBadRequest unless `body` is one JSON object.
Result<boost::json::object> parse_json_object(std::string_view body);

// Calls read(in, item) for each object of a list; members that it does not ask for are refused.
template <class Item, class Read>
Result<std::vector<Item>> read_json_list(const boost::json::value& value, std::string_view name, Read read) {
  if (!value.is_array()) return wrong_json(std::string(name), "must be a list");
  std::vector<Item> items;
  for (const boost::json::value& each : value.get_array()) {
    const std::string place = list_place(name, items.size());
    if (!each.is_object()) return wrong_json(place, "must be an object");
    MemberReader in(each.get_object(), place + ".");
    Item item;
    read(in, item);
    in.refuse_unknown("is not known here");
    if (auto done = in.result(); !done) return done.error();
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace akr
