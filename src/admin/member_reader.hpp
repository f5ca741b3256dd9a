// member_reader.hpp - reads the members of a JSON object into values, one line each.
//
// Absent: the value stays.  null: the value becomes what the caller says, or is refused.  A wrong type is kept as the
// first error; after it nothing is read any more.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/result.hpp"

namespace akr {

class MemberReader {
 public:
  explicit MemberReader(const boost::json::object& object) : object_(object) {}

  bool has(std::string_view name);  // present, null or not; counts as known

  void text(std::string_view name, std::string& value);  // null: refused
  void text(std::string_view name, std::string& value, std::string_view if_null);
  void flag(std::string_view name, bool& value, std::optional<bool> if_null = std::nullopt);
  void number(std::string_view name, int& value, int if_null);
  void millis(std::string_view name, std::chrono::milliseconds& value, std::chrono::milliseconds if_null);

  void refuse(std::string_view name, std::string message);  // kInvalid, unless there was an error before
  Result<void> result() const;

  // Members that nobody asked for, in the object's order.
  std::vector<std::string> unknown() const;

 private:
  const boost::json::value* find(std::string_view name);
  std::optional<std::int64_t> whole_number(std::string_view name, const boost::json::value& value);

  const boost::json::object& object_;
  std::set<std::string, std::less<>> known_;
  std::optional<Error> error_;
};

// kBadRequest unless `body` is one JSON object.
Result<boost::json::object> parse_json_object(std::string_view body);

}  // namespace akr
