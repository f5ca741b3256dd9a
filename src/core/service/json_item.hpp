// json_item.hpp - reads lists of objects that are part of a service, naming the first thing that is wrong.  Pure.
//
//   read_json_list<Upstream>(value, "upstreams", [](JsonItem& in, Upstream& out) { in.required("url"); ... });
//
// Every error is kInvalid with a field like "upstreams[2].weight".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/result.hpp"

namespace akr {

// The members of one object.  Absent: the value stays.  After an error nothing is read any more.
class JsonItem {
 public:
  // `place`: "upstreams[2]".  The object outlives this.
  JsonItem(const boost::json::object& object, std::string place) : object_(object), place_(std::move(place)) {}

  void required(std::string_view name);
  void text(std::string_view name, std::string& value);
  void texts(std::string_view name, std::vector<std::string>& values);
  template <class Number>
  void whole(std::string_view name, Number& value, std::int64_t low, std::int64_t high) {
    if (const auto number = number_between(name, low, high)) value = static_cast<Number>(*number);
  }

  // The first thing that was wrong, a member that nobody asked for included.
  Result<void> result();

 private:
  const boost::json::value* find(std::string_view name);
  std::optional<std::int64_t> number_between(std::string_view name, std::int64_t low, std::int64_t high);
  void refuse(std::string_view member, const std::string& what);

  const boost::json::object& object_;
  const std::string place_;
  std::vector<std::string_view> known_;
  std::optional<Error> error_;
};

// kInvalid, message "FIELD WHAT".
Error wrong_json(std::string field, std::string_view what);
// "must be a whole number from 0 to 9, not -1".
std::string out_of_range(const boost::json::value& given, std::int64_t low, std::int64_t high);

std::string list_place(std::string_view name, std::size_t index);  // "upstreams[2]"

// Why `text` is no JSON, or its value.
Result<boost::json::value> parse_json_text(std::string_view text, std::string_view name);

template <class Item, class Read>
Result<std::vector<Item>> read_json_list(const boost::json::value& value, std::string_view name, Read read) {
  if (!value.is_array()) return wrong_json(std::string(name), "must be a list");
  std::vector<Item> items;
  for (const boost::json::value& each : value.get_array()) {
    const std::string place = list_place(name, items.size());
    if (!each.is_object()) return wrong_json(place, "must be an object");
    JsonItem in(each.get_object(), place);
    Item item;
    read(in, item);
    if (auto done = in.result(); !done) return done.error();
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace akr
