#include "base/member_reader.hpp"

#include <algorithm>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/utf8.hpp"

namespace akr {

bool MemberReader::has(std::string_view name) {
  known_.push_back(name);
  return object_.contains(name);
}

void MemberReader::required(std::string_view name) {
  if (!has(name)) refuse(name, "is required");
}

const boost::json::value* MemberReader::find(std::string_view name) {
  known_.push_back(name);
  return error_ ? nullptr : object_.if_contains(name);
}

void MemberReader::text(std::string_view name, std::string& value) {
  const auto* member = find(name);
  if (member == nullptr) return;
  if (!member->is_string()) return refuse(name, "must be a string");
  value = member->get_string();
}

void MemberReader::text(std::string_view name, std::string& value, std::string_view if_null) {
  const auto* member = find(name);
  if (member == nullptr) return;
  if (!member->is_null()) return text(name, value);
  value = if_null;
}

void MemberReader::texts(std::string_view name, std::vector<std::string>& values) {
  const auto* member = find(name);
  if (member == nullptr) return;
  if (!member->is_array()) return refuse(name, "must be a list of strings");
  values.clear();
  for (const boost::json::value& each : member->get_array()) {
    if (!each.is_string()) return refuse(list_place(name, values.size()), "must be a string");
    values.emplace_back(each.get_string());
  }
}

void MemberReader::flag(std::string_view name, bool& value, std::optional<bool> if_null) {
  const auto* member = find(name);
  if (member == nullptr) return;
  if (member->is_bool()) {
    value = member->get_bool();
  } else if (member->is_null() && if_null) {
    value = *if_null;
  } else {
    refuse(name, "must be true or false");
  }
}

std::optional<std::int64_t> MemberReader::number_between(std::string_view name, const boost::json::value& value,
                                                         std::int64_t low, std::int64_t high) {
  if (value.is_int64() && value.get_int64() >= low && value.get_int64() <= high) return value.get_int64();
  refuse(name, out_of_range(value, low, high));
  return std::nullopt;
}

void MemberReader::refuse(const Error& error) {
  if (!error_) error_ = error;
}

void MemberReader::refuse(std::string_view name, std::string_view message) {
  if (!error_) error_ = wrong_json(prefix_ + std::string(name), message);
}

Result<void> MemberReader::result() const {
  if (error_) return *error_;
  return {};
}

std::vector<std::string> MemberReader::unknown() const {
  std::vector<std::string> names;
  for (const auto& member : object_) {
    const std::string_view name = member.key();
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) names.emplace_back(name);
  }
  return names;
}

void MemberReader::refuse_unknown(std::string_view message) {
  for (const std::string& name : unknown()) refuse(name, message);
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

Result<boost::json::object> parse_json_object(std::string_view body) {
  boost::system::error_code failure;
  boost::json::value value = boost::json::parse(body, failure);
  if (failure || !value.is_object()) return Error{ErrorCode::kBadRequest, "Invalid request"};
  return std::move(value.get_object());
}

}  // namespace akr
