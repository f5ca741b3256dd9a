#include "core/service/host_policy.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include <arpa/inet.h>

#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::string_view kMetadataNames[] = {
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.tencentyun.com",
    "metadata.ec2.internal",
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_host_char(char c) {
  const char lower = ascii_lower(c);
  return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}

// One part of an inet_aton() address: "0x7f" is hexadecimal, "0177" octal.
std::optional<std::uint64_t> parse_aton_part(std::string_view part) {
  int base = 10;
  if (part.size() > 1 && part[0] == '0') {
    base = ascii_lower(part[1]) == 'x' ? 16 : 8;
    part.remove_prefix(base == 16 ? 2 : 1);
  }
  if (part.empty() && base == 10) return std::nullopt;
  std::uint64_t value = 0;  // "0x" alone is 0 for several C libraries
  for (char c : part) {
    const int digit = hex_value(c);
    if (digit < 0 || digit >= base) return std::nullopt;
    value = value * static_cast<std::uint64_t>(base) + static_cast<std::uint64_t>(digit);
    if (value > 0xffff'ffffULL) return std::nullopt;
  }
  return value;
}

// inet_aton(): 1 to 4 parts, all but the last one byte each, the last one fills the rest.
std::optional<std::array<std::uint8_t, 4>> parse_aton(std::string_view host) {
  const auto parts = split(host, '.');
  if (parts.size() > 4) return std::nullopt;
  std::uint64_t address = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto value = parse_aton_part(parts[i]);
    const bool last = i + 1 == parts.size();
    const std::size_t free_bits = last ? 8 * (5 - parts.size()) : 8;
    if (!value || (*value >> free_bits) != 0) return std::nullopt;
    address = (address << free_bits) | *value;
  }
  return std::array{static_cast<std::uint8_t>(address >> 24), static_cast<std::uint8_t>(address >> 16),
                    static_cast<std::uint8_t>(address >> 8), static_cast<std::uint8_t>(address)};
}

bool is_dotted_quad(std::string_view host) {
  const auto parts = split(host, '.');
  if (parts.size() != 4) return false;
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    const auto value = parse_u64(part);
    return value && *value <= 255 && (part.size() == 1 || part[0] != '0');
  });
}

// A last label that is a number makes the whole host a number for some resolver (WHATWG URL, "ends in a number").
bool ends_in_number(std::string_view host) {
  const auto parts = split(host, '.');
  const auto last = parts.back();
  return parse_aton_part(last).has_value() || std::all_of(last.begin(), last.end(), is_digit);
}

bool is_ipv6_char(char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; }

std::optional<std::array<std::uint8_t, 16>> parse_ipv6(std::string_view host) {
  if (!std::all_of(host.begin(), host.end(), is_ipv6_char)) return std::nullopt;  // a NUL would end it early
  std::array<std::uint8_t, 16> bytes = {};
  if (::inet_pton(AF_INET6, std::string(host).c_str(), bytes.data()) != 1) return std::nullopt;
  return bytes;
}

AddressClass classify_name(std::string_view host) {
  const std::string name = to_lower(host);
  if (std::find(std::begin(kMetadataNames), std::end(kMetadataNames), name) != std::end(kMetadataNames)) {
    return AddressClass::kForbidden;
  }
  const bool local = name == "localhost" || name == "localhost.localdomain" || name.ends_with(".localhost");
  return local ? AddressClass::kPrivate : AddressClass::kPublic;
}

}  // namespace

HostForm host_form(std::string_view host) {
  if (host.find(':') != std::string_view::npos) return parse_ipv6(host) ? HostForm::kIpv6 : HostForm::kMalformed;
  if (host.empty() || host.size() > 253 || !std::all_of(host.begin(), host.end(), is_host_char)) {
    return HostForm::kMalformed;
  }
  const auto labels = split(host, '.');
  const bool whole = std::all_of(labels.begin(), labels.end(),
                                 [](std::string_view label) { return !label.empty() && label.size() <= 63; });
  if (!whole) return HostForm::kMalformed;  // also a trailing dot: SNI and certificates do not know it
  if (is_dotted_quad(host)) return HostForm::kIpv4;
  return ends_in_number(host) ? HostForm::kOddNumber : HostForm::kName;
}

std::string unbracketed_host(std::string_view encoded) {
  std::string host = to_lower(encoded);
  if (!host.starts_with('[')) return host;
  if (!host.ends_with(']')) return {};
  host = host.substr(1, host.size() - 2);
  return host_form(host) == HostForm::kIpv6 ? host : std::string();
}

AddressClass classify_host(std::string_view host) {
  switch (host_form(host)) {
    case HostForm::kName:
      return classify_name(host);
    case HostForm::kIpv6: {
      const auto address = parse_ipv6(host);
      return address ? classify_address(*address) : AddressClass::kForbidden;
    }
    case HostForm::kIpv4:
    case HostForm::kOddNumber: {
      const auto address = parse_aton(host);
      return address ? classify_address(*address) : AddressClass::kForbidden;
    }
    case HostForm::kMalformed:
      return AddressClass::kForbidden;
  }
  return AddressClass::kForbidden;
}

}  // namespace akr
