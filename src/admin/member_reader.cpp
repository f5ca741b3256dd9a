#include "admin/member_reader.hpp"

#include <limits>

#include "core/service/json_item.hpp"

namespace akr {

bool MemberReader::has(std::string_view name) {
  known_.emplace(name);
  return object_.contains(name);
}

const boost::json::value* MemberReader::find(std::string_view name) {
  known_.emplace(name);
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

void MemberReader::number(std::string_view name, int& value, int if_null) {
  const auto* member = find(name);
  if (member == nullptr) return;
  if (member->is_null()) {
    value = if_null;
  } else if (const auto whole = whole_number(name, *member)) {
    if (*whole > std::numeric_limits<int>::max()) return refuse(name, "is too large");
    value = static_cast<int>(*whole);
  }
}

void MemberReader::millis(std::string_view name, std::chrono::milliseconds& value, std::chrono::milliseconds if_null) {
  const auto* member = find(name);
  if (member == nullptr) return;
  if (member->is_null()) {
    value = if_null;
  } else if (const auto whole = whole_number(name, *member)) {
    value = std::chrono::milliseconds(*whole);
  }
}

std::optional<std::int64_t> MemberReader::whole_number(std::string_view name, const boost::json::value& value) {
  if (value.is_int64() && value.get_int64() >= 0) return value.get_int64();
  refuse(name, "must be a whole number, not negative");
  return std::nullopt;
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

void MemberReader::refuse(std::string_view name, std::string message) {
  const std::string field = prefix_ + std::string(name);
  refuse(Error{.code = ErrorCode::kInvalid, .message = field + " " + std::move(message), .field = field});
}

Result<void> MemberReader::result() const {
  if (error_) return *error_;
  return {};
}

std::vector<std::string> MemberReader::unknown() const {
  std::vector<std::string> names;
  for (const auto& member : object_) {
    if (!known_.contains(std::string_view(member.key()))) names.emplace_back(member.key());
  }
  return names;
}

Result<boost::json::object> parse_json_object(std::string_view body) {
  boost::system::error_code failure;
  boost::json::value value = boost::json::parse(body, failure);
  if (failure || !value.is_object()) return Error{ErrorCode::kBadRequest, "Invalid request"};
  return std::move(value.get_object());
}

}  // namespace akr
