#include "config/setting_rules.hpp"

#include <arpa/inet.h>

#include "config/key32.hpp"

namespace akr {
namespace {

bool is_ip_address(const std::string& text) {
  in6_addr bytes = {};
  return inet_pton(AF_INET, text.c_str(), &bytes) == 1 || inet_pton(AF_INET6, text.c_str(), &bytes) == 1;
}

}  // namespace

SettingRule<Milliseconds> from_to_seconds(int low, int high) { return between(seconds(low), seconds(high)); }

SettingRule<std::string> ip_address() { return {is_ip_address, {"an IPv4 or IPv6 address", "IPv4 或 IPv6 地址"}}; }

SettingRule<std::string> networks() {
  return {{},
          {"a comma-separated list of addresses and networks such as `10.0.0.0/8` or `fd00::/8`",
           "以逗号分隔的地址和网段，如 `10.0.0.0/8` 或 `fd00::/8`"}};
}

SettingRule<Secret> strong_password() {
  return {{}, {"at least 12 characters, no placeholder", "至少 12 个字符，不能是占位值"}};
}

SettingRule<Secret> signing_secret() {
  return {{}, {"at least 32 bytes, no placeholder", "至少 32 字节，不能是占位值"}};
}

SettingRule<Secret> key32() {
  return {[](const Secret& value) { return decode_key32(value).has_value(); },
          {"32 bytes as 64 hex digits or as base64", "32 字节，写作 64 个十六进制数字或 base64"}};
}

SettingRule<std::vector<Secret>> access_keys() {
  return {{},
          {"comma-separated printable ASCII, no placeholders; 12 characters or more are advised",
           "以逗号分隔的可打印 ASCII 文本，不能是占位值；建议至少 12 个字符"}};
}

}  // namespace akr
