// setting_rules.hpp - what single settings allow beyond their type.
//
// Rules about secrets only say what is allowed: whether a weak one is refused depends on ALLOW_INSECURE_DEFAULTS, so
// that is decided when all settings are known (secret_rules.hpp).
#pragma once

#include "config/setting.hpp"

namespace akr {

using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds seconds(int count) { return std::chrono::seconds(count); }

SettingRule<Milliseconds> from_to_seconds(int low, int high);
SettingRule<std::string> ip_address();  // a literal, IPv4 or IPv6
SettingRule<std::string> networks();    // only says so: load.cpp refuses a bad part by name

SettingRule<Secret> strong_password();
SettingRule<Secret> signing_secret();
SettingRule<Secret> key32();
SettingRule<std::vector<Secret>> access_keys();

}  // namespace akr
