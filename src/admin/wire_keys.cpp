#include <algorithm>
#include <span>
#include <utility>

#include "admin/wire.hpp"
#include "base/member_reader.hpp"
#include "base/strings.hpp"
#include "base/time_text.hpp"
#include "base/utf8.hpp"

namespace akr {
namespace {

constexpr std::size_t kShortestMask = 10;  // characters
constexpr std::string_view kSwitch = "is_active";
constexpr std::string_view kLimits = "limits";

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// ui-and-admin-api.md 3.6; "unreadable" is ours: the ciphertext did not open.
std::string_view status_word(const UpstreamKey& key, const KeyStatus& status) {
  if (!key.enabled) return "disabled";
  if (!key.readable) return "unreadable";
  switch (status.state) {
    case KeyState::kInvalid:
      return "invalid";
    case KeyState::kExhausted:
      return "exhausted";
    case KeyState::kCooling:
      return "cooling";
    case KeyState::kActive:
      return status.last_used ? "healthy" : "unused";
  }
  return "";
}

// What stands in the object "limits".
template <class Key>
void read_limits(MemberReader& in, Key& key) {
  const boost::json::value* member = in.any(kLimits);
  if (member == nullptr) return;
  if (member->is_null()) {
    key.limits = {};
    return;
  }
  if (!member->is_object()) return in.refuse(kLimits, "must be an object");
  MemberReader inner(member->get_object(), std::string(kLimits) + ".");
  for (const Field<Key>& field : key_fields<Key>()) {
    if (field.group == kLimits) read_field(inner, field, key, Key{});
  }
  inner.refuse_unknown("is not a limit");
  if (const auto read = inner.result(); !read) in.refuse(read.error());
}

template <class Key>
void read_members(MemberReader& in, Key& key) {
  for (const Field<Key>& field : key_fields<Key>()) {
    if (field.group.empty() && field.name != kSwitch) read_field(in, field, key, Key{});
  }
  read_limits(in, key);
}

std::string wall_text(TimePoint time, const Moment& moment) {
  return format_rfc3339(moment.wall + std::chrono::ceil<std::chrono::milliseconds>(time - moment.now));
}

boost::json::array write_model_waits(std::span<const ModelWaitStatus> waits, const Moment& moment) {
  boost::json::array out;
  for (const ModelWaitStatus& wait : waits) {
    boost::json::object each = {{"model", valid_utf8(wait.model)}, {"reason", wait.reason}};
    if (wait.until) each["until"] = wall_text(*wait.until, moment);
    out.push_back(std::move(each));
  }
  return out;
}

// What the pool knows.
void write_status(const KeyStatus& status, const Moment& moment, boost::json::object& out) {
  out["state"] = to_string(status.state);
  out["standing"] = to_string(status.standing);
  if (!status.reason.empty()) out["reason"] = status.reason;
  if (status.since) out["since"] = wall_text(*status.since, moment);
  if (status.until && *status.until > moment.now) out["until"] = wall_text(*status.until, moment);
  if (status.last_used) out["last_used"] = wall_text(*status.last_used, moment);
  out["consecutive_failures"] = status.consecutive_failures;
  out["in_flight"] = status.in_flight;
  if (status.last_status != 0) out["last_status"] = status.last_status;
  if (!status.last_error.empty()) out["last_error"] = status.last_error;
  if (status.cooling_models > 0) out["cooling_models"] = status.cooling_models;
  if (!status.model_waits.empty()) out["model_waits"] = write_model_waits(status.model_waits, moment);
}

}  // namespace

void read_key_members(MemberReader& in, UpstreamKey& key) { read_members(in, key); }
void read_key_members(MemberReader& in, NewKey& key) { read_members(in, key); }

bool has_key_member(MemberReader& in) {
  bool any = false;
  for (const auto& field : key_fields<UpstreamKey>()) any |= in.has(field.group.empty() ? field.name : field.group);
  return any;
}

boost::json::object write_key(const UpstreamKey& key, const std::optional<KeyStatus>& status, const Moment& moment) {
  boost::json::object out;
  out["id"] = key.id.value;
  out["key_value"] = mask_key(key.secret);
  boost::json::object limits;
  for (const Field<UpstreamKey>& field : key_fields<UpstreamKey>()) {
    write_field(field, key, field.group == kLimits ? limits : out);
    if (field.name != kSwitch) continue;
    out["proxy_config_id"] = key.service.value;
    if (!key.secret.empty()) out["fingerprint"] = fingerprint(key.secret.expose());
  }
  if (key.limits != KeyLimits{}) out[kLimits] = std::move(limits);
  out["status"] = status_word(key, status.value_or(KeyStatus{}));
  if (status) write_status(*status, moment, out);
  return out;
}

std::string mask_key(const Secret& key) {
  std::string mask = key.masked();
  const auto gap = mask.find("…");
  if (gap == std::string::npos) return std::string(kShortestMask, '*');
  while (characters(mask) < kShortestMask) mask.insert(gap, "…");
  return mask;
}

}  // namespace akr
