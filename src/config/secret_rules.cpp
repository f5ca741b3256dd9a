#include "config/secret_rules.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::size_t kPasswordCharacters = 12;
constexpr std::size_t kSigningBytes = 32;
constexpr std::size_t kAdvisedKeyCharacters = 12;
constexpr std::string_view kInsecureHint =
    "; choose another, `openssl rand -hex 32` makes one (ALLOW_INSECURE_DEFAULTS=true accepts this one)";

// Written with '-' for '_'.  What starts with "your-" needs no entry.
constexpr std::array<std::string_view, 12> kPlaceholders = {"admin",       "admin123", "administrator", "password",
                                                            "password123", "passw0rd", "changeme",      "change-me",
                                                            "secret",      "test",     "example",       "placeholder"};

std::optional<std::string_view> weakness(const Secret& secret, std::size_t least, std::string_view too_short) {
  if (is_placeholder(secret.expose())) return "it is a placeholder from documentation";
  if (secret.size() < least) return too_short;
  return std::nullopt;
}

// 1-based position of the first byte that no header can carry safely; 0 = none.
std::size_t unusable_position(std::string_view key) {
  const auto bad = std::ranges::find_if(key, [](char c) { return c < 0x20 || c >= 0x7f; });
  return bad == key.end() ? 0 : static_cast<std::size_t>(bad - key.begin()) + 1;
}

// Refuses, or with ALLOW_INSECURE_DEFAULTS only warns.
Result<void> judge(Settings& settings, const SettingBase& setting, std::string_view reason) {
  if (!settings.allow_insecure_defaults()) return setting.refusal(std::string(reason).append(kInsecureHint));
  settings.warnings.push_back(std::string(setting.name()) + " is insecure: " + std::string(reason));
  return {};
}

Result<void> check_access_key(Settings& settings, const Secret& key, std::size_t number) {
  const std::string which = "entry " + std::to_string(number);
  if (const std::size_t position = unusable_position(key.expose()); position != 0) {
    return settings.global_proxy_keys.refusal(which + " has a control or non-ASCII character at position " +
                                              std::to_string(position));
  }
  if (is_placeholder(key.expose())) {
    return judge(settings, settings.global_proxy_keys, which + " is a placeholder from documentation");
  }
  if (key.size() < kAdvisedKeyCharacters) {
    settings.warnings.push_back("GLOBAL_PROXY_KEYS: " + which + " is shorter than 12 characters and easy to guess");
  }
  return {};
}

}  // namespace

bool is_placeholder(std::string_view secret) {
  constexpr std::string_view kSequence = "sk-1234567890abcdefghijklmnopqrstuvwxyz";
  constexpr std::size_t kSequenceStart = 7;  // "sk-1234"
  std::string text = to_lower(trim(secret));
  std::ranges::replace(text, '_', '-');
  if (text.starts_with("your-")) return true;
  if (text.size() >= kSequenceStart && kSequence.starts_with(std::string_view(text).substr(0, text.find('.')))) {
    return true;
  }
  return std::ranges::find(kPlaceholders, text) != kPlaceholders.end();
}

Result<void> check_secrets(Settings& settings) {
  if (settings.admin_password.given()) {
    const auto weak = weakness(settings.admin_password(), kPasswordCharacters, "it has fewer than 12 characters");
    if (weak) {
      if (auto judged = judge(settings, settings.admin_password, *weak); !judged) return judged;
    }
  }
  if (settings.jwt_secret.given()) {
    const auto weak = weakness(settings.jwt_secret(), kSigningBytes, "it has fewer than 32 bytes");
    if (weak) {
      if (auto judged = judge(settings, settings.jwt_secret, *weak); !judged) return judged;
    }
  }
  std::size_t number = 0;
  for (const Secret& key : settings.global_proxy_keys()) {
    if (auto checked = check_access_key(settings, key, ++number); !checked) return checked;
  }
  if (number == 0) {
    settings.warnings.push_back("GLOBAL_PROXY_KEYS is empty: every proxied request will be refused with 401");
  }
  return {};
}

}  // namespace akr
