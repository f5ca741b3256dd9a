#include "llm/answer_json.hpp"

#include <algorithm>

#include <boost/json/parse.hpp>

namespace akr {

std::vector<boost::json::object> answer_objects(std::string_view json) {
  boost::system::error_code failed;
  boost::json::value parsed = boost::json::parse(json, failed);
  std::vector<boost::json::object> objects;
  if (failed) return objects;
  if (parsed.is_object()) {
    objects.push_back(std::move(parsed.get_object()));
  } else if (parsed.is_array()) {
    for (boost::json::value& each : parsed.get_array()) {
      if (!each.is_object()) return {};
      objects.push_back(std::move(each.get_object()));
    }
  }
  return objects;
}

const boost::json::object* object_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* const member = object.if_contains(name);
  return member == nullptr ? nullptr : member->if_object();
}

const boost::json::array* array_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* const member = object.if_contains(name);
  return member == nullptr ? nullptr : member->if_array();
}

std::string_view text_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* const member = object.if_contains(name);
  return member == nullptr || !member->is_string() ? std::string_view() : std::string_view(member->get_string());
}

bool says_something(const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return false;
    case boost::json::kind::bool_:
      return value.get_bool();
    case boost::json::kind::string:
      return !value.get_string().empty();
    case boost::json::kind::array:
      return !value.get_array().empty();
    case boost::json::kind::object:
      return !value.get_object().empty();
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_:
      return true;
  }
  return true;
}

void count_member(const boost::json::object& object, std::string_view name, std::optional<std::uint64_t>& count) {
  const boost::json::value* const member = object.if_contains(name);
  if (member == nullptr || !member->is_int64() || member->get_int64() < 0) return;
  count = std::max(count.value_or(0), static_cast<std::uint64_t>(member->get_int64()));
}

}  // namespace akr
