#include "core/service/json_item.hpp"

#include <algorithm>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/utf8.hpp"

namespace akr {

void JsonItem::required(std::string_view name) {
  if (!object_.contains(name)) refuse(name, "is required");
}

void JsonItem::text(std::string_view name, std::string& value) {
  const auto* member = find(name);
  if (member == nullptr) return;
  if (!member->is_string()) return refuse(name, "must be a string");
  value = member->get_string();
}

void JsonItem::texts(std::string_view name, std::vector<std::string>& values) {
  const auto* member = find(name);
  if (member == nullptr) return;
  if (!member->is_array()) return refuse(name, "must be a list of strings");
  values.clear();
  for (const boost::json::value& each : member->get_array()) {
    if (!each.is_string()) return refuse(list_place(name, values.size()), "must be a string");
    values.emplace_back(each.get_string());
  }
}

std::optional<std::int64_t> JsonItem::number_between(std::string_view name, std::int64_t low, std::int64_t high) {
  const auto* member = find(name);
  if (member == nullptr) return std::nullopt;
  if (member->is_int64() && member->get_int64() >= low && member->get_int64() <= high) return member->get_int64();
  refuse(name, out_of_range(*member, low, high));
  return std::nullopt;
}

Result<void> JsonItem::result() {
  for (const auto& member : object_) {
    const std::string_view name = member.key();
    // A weight that is misspelt must not silently become the default.
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) refuse(name, "is not known here");
  }
  if (error_) return *error_;
  return {};
}

const boost::json::value* JsonItem::find(std::string_view name) {
  known_.push_back(name);
  return error_ ? nullptr : object_.if_contains(name);
}

void JsonItem::refuse(std::string_view member, const std::string& what) {
  if (!error_) error_ = wrong_json(place_ + "." + std::string(member), what);
}

Error wrong_json(std::string field, std::string_view what) {
  std::string message = field + " " + std::string(what);
  return {.code = ErrorCode::kInvalid, .message = std::move(message), .field = std::move(field)};
}

std::string out_of_range(const boost::json::value& given, std::int64_t low, std::int64_t high) {
  constexpr std::size_t kLongest = 40;
  std::string text = boost::json::serialize(given);
  if (text.size() > kLongest) text = std::string(cut_utf8(text, kLongest)) + "...";
  return "must be a whole number from " + std::to_string(low) + " to " + std::to_string(high) + ", not " + text;
}

std::string list_place(std::string_view name, std::size_t index) {
  return std::string(name) + "[" + std::to_string(index) + "]";
}

Result<boost::json::value> parse_json_text(std::string_view text, std::string_view name) {
  boost::system::error_code failure;
  boost::json::value value = boost::json::parse(text, failure);
  if (failure) return wrong_json(std::string(name), "is not JSON");
  return value;
}

}  // namespace akr
