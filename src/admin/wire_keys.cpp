#include <algorithm>

#include "admin/wire.hpp"
#include "base/strings.hpp"
#include "base/time_text.hpp"

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

}  // namespace

boost::json::object write_key(const UpstreamKey& key, const std::optional<KeyStatus>& status, const Moment& moment) {
  boost::json::object out;
  out["id"] = key.id.value;
  out["key_value"] = mask_key(key.secret);
  out["is_active"] = key.enabled;
  out["proxy_config_id"] = key.service.value;
  if (!key.secret.empty()) out["fingerprint"] = fingerprint(key.secret.expose());
  if (!key.note.empty()) out["note"] = key.note;
  out["status"] = status_word(key, status.value_or(KeyStatus{}));
  if (!status) return out;
  out["state"] = to_string(status->state);
  if (!status->reason.empty()) out["reason"] = status->reason;
  if (status->until && *status->until > moment.now) {
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*status->until - moment.now);
    out["until"] = format_rfc3339(moment.wall + wait);
  }
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
