// member_reader.hpp - reads the members of a JSON object into values, one line each.
//
// Absent: the value stays.  null: the value becomes what the caller says, or is refused.  A wrong type is kept as the
// first error; after it nothing is read any more.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "base/result.hpp"

namespace akr {

class MemberReader {
 public:
  // `prefix` goes before each name in an error's field: "limits." for what stands in the member "limits".
  explicit MemberReader(const boost::json::object& object, std::string prefix = "")
      : object_(object), prefix_(std::move(prefix)) {}

  bool has(std::string_view name);  // present, null or not; counts as known

  void text(std::string_view name, std::string& value);  // null: refused
  void text(std::string_view name, std::string& value, std::string_view if_null);
  void flag(std::string_view name, bool& value, std::optional<bool> if_null = std::nullopt);

  // A whole number from `low` to `high`.
  template <class Number>
  void whole(std::string_view name, Number& value, std::int64_t low, std::int64_t high, Number if_null) {
    const auto* member = find(name);
    if (member == nullptr) return;
    if (member->is_null()) {
      value = if_null;
    } else if (const auto number = number_between(name, *member, low, high)) {
      value = static_cast<Number>(*number);
    }
  }
  // nullptr if absent or wrong; a null is found too.
  const boost::json::value* any(std::string_view name) { return find(name); }

  void refuse(const Error& error);                          // as it is, unless there was an error before
  void refuse(std::string_view name, std::string message);  // kInvalid, unless there was an error before
  Result<void> result() const;

  // Members that nobody asked for, in the object's order.
  std::vector<std::string> unknown() const;

 private:
  const boost::json::value* find(std::string_view name);
  std::optional<std::int64_t> number_between(std::string_view name, const boost::json::value& value, std::int64_t low,
                                             std::int64_t high);

  const boost::json::object& object_;
  const std::string prefix_;
  std::set<std::string, std::less<>> known_;
  std::optional<Error> error_;
};

// kBadRequest unless `body` is one JSON object.
Result<boost::json::object> parse_json_object(std::string_view body);

}  // namespace akr
