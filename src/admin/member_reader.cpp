#include "admin/member_reader.hpp"

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
