#include <algorithm>
#include <span>
#include <utility>

#include "admin/member_reader.hpp"
#include "admin/wire.hpp"
#include "base/strings.hpp"
#include "base/time_text.hpp"
#include "base/utf8.hpp"
#include "core/service/text_rules.hpp"

namespace akr {
namespace {

constexpr std::size_t kShortestMask = 10;  // characters

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

constexpr std::int64_t kMostWeight = 1'000'000;
constexpr std::int64_t kMostPriority = 1'000'000;
constexpr std::int64_t kMost32 = 0xffff'ffff;
constexpr std::int64_t kMost64 = 1'000'000'000'000'000;  // what a JSON number still holds exactly
constexpr std::size_t kLongestNote = 1000;
constexpr std::size_t kLongestGroup = 100;

void read_short_text(MemberReader& in, std::string_view name, std::string& value, std::size_t most) {
  in.text(name, value, "");
  const auto length = utf8_length(value);
  if (!length || *length > most || has_control(value))
    in.refuse(name, "has at most " + std::to_string(most) + " characters and no control characters");
}

void read_limits(MemberReader& in, KeyLimits& limits) {
  const boost::json::value* member = in.any("limits");
  if (member == nullptr) return;
  if (member->is_null()) {
    limits = {};
    return;
  }
  if (!member->is_object()) return in.refuse("limits", "must be an object");
  MemberReader inner(member->get_object(), "limits.");
  inner.whole("rpm", limits.rpm, 0, kMost32, 0U);
  inner.whole("tpm", limits.tpm, 0, kMost64, std::uint64_t{0});
  inner.whole("rpd", limits.rpd, 0, kMost32, 0U);
  inner.whole("max_concurrency", limits.max_concurrency, 0, kMost32, 0U);
  inner.whole("monthly_quota", limits.monthly_quota, 0, kMost64, std::uint64_t{0});
  inner.whole("monthly_reset_day", limits.monthly_reset_day, 1, 28, 1U);
  for (const std::string& name : inner.unknown()) inner.refuse(name, "is not a limit");
  if (const auto read = inner.result(); !read) in.refuse(read.error());
}

boost::json::object write_limits(const KeyLimits& limits) {
  return {{"rpm", limits.rpm},
          {"tpm", limits.tpm},
          {"rpd", limits.rpd},
          {"max_concurrency", limits.max_concurrency},
          {"monthly_quota", limits.monthly_quota},
          {"monthly_reset_day", limits.monthly_reset_day}};
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

void read_key_members(MemberReader& in, UpstreamKey& key) {
  read_short_text(in, "note", key.note, kLongestNote);
  in.whole("weight", key.weight, 0, kMostWeight, 1U);
  in.whole("priority", key.priority, -kMostPriority, kMostPriority, 0);
  read_short_text(in, "quota_group", key.group, kLongestGroup);
  read_limits(in, key.limits);
}

bool has_key_member(MemberReader& in) {
  bool any = false;
  for (const char* name : {"is_active", "note", "weight", "priority", "quota_group", "limits"}) any |= in.has(name);
  return any;
}

boost::json::object write_key(const UpstreamKey& key, const std::optional<KeyStatus>& status, const Moment& moment) {
  boost::json::object out;
  out["id"] = key.id.value;
  out["key_value"] = mask_key(key.secret);
  out["is_active"] = key.enabled;
  out["proxy_config_id"] = key.service.value;
  if (!key.secret.empty()) out["fingerprint"] = fingerprint(key.secret.expose());
  if (!key.note.empty()) out["note"] = key.note;
  out["weight"] = key.weight;
  out["priority"] = key.priority;
  if (!key.group.empty()) out["quota_group"] = key.group;
  if (key.limits != KeyLimits{}) out["limits"] = write_limits(key.limits);
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
