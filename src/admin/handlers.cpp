#include "admin/handlers.hpp"

#include <algorithm>
#include <limits>

#include "base/strings.hpp"

namespace akr {

Result<std::int64_t> path_id(const AdminCall& call, const char* message) {
  std::string_view text = call.ids.front();
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto number = parse_u64(text);
  constexpr std::uint64_t kLargest = std::numeric_limits<std::int32_t>::max();
  if (!number || *number > kLargest + negative) return Error{ErrorCode::kBadRequest, message};
  return negative ? -static_cast<std::int64_t>(*number) : static_cast<std::int64_t>(*number);
}

Error with_not_found_text(Error error, const char* message) {
  if (error.code == ErrorCode::kNotFound) error.message = message;
  return error;
}

void note_ignored(AdminResponse& response, const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 20;
  std::string list;
  std::size_t count = 0;
  for (const std::string& name : names) {
    const bool plain = !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '_' || c == '-' ||
             c == '.';
    });
    if (!plain || ++count > kMost) continue;
    list += (list.empty() ? "" : ", ") + name;
  }
  if (!list.empty()) response.headers.emplace_back("X-Ignored-Fields", list);
}

void note_published(AdminResponse& response, const Result<void>& published) {
  if (!published) response.headers.emplace_back("X-Config-Published", "false");
}

Moment moment_of(const AdminCall& call) { return {call.parts.clock.now(), call.parts.clock.wall()}; }

boost::json::object key_json(AdminCall& call, const UpstreamKey& key) {
  const auto pool = call.parts.publisher.pool(key.service);
  const Moment moment = moment_of(call);
  return write_key(key, pool ? pool->status(key.id, moment.now) : std::nullopt, moment);
}

Result<ServiceId> service_of(const AdminCall& call, const char* bad_id, const char* not_found) {
  const auto id = path_id(call, bad_id);
  if (!id) return id.error();
  const auto found = call.parts.store.find_service(ServiceId{*id});
  if (!found) return with_not_found_text(found.error(), not_found);
  return found->id;
}

}  // namespace akr
