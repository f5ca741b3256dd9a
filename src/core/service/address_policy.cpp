#include "core/service/address_policy.hpp"

#include <array>

namespace akr {
namespace {

constexpr std::uint32_t ipv4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return (a << 24) | (b << 16) | (c << 8) | d;
}

struct Ipv4Range {
  std::uint32_t network;
  int bits;
  AddressClass kind;
};

// First match wins, so that a metadata address inside a private range stays forbidden.  The documentation networks
// (192.0.2/24, 198.51.100/24, 203.0.113/24) are routed nowhere and harm nobody: they count as public.
constexpr Ipv4Range kIpv4Ranges[] = {
    {ipv4(100, 100, 100, 200), 32, AddressClass::kForbidden},  // Alibaba Cloud metadata
    {ipv4(168, 63, 129, 16), 32, AddressClass::kForbidden},    // Azure platform endpoint
    {ipv4(169, 254, 0, 0), 16, AddressClass::kForbidden},      // link-local, and most clouds' metadata
    {ipv4(0, 0, 0, 0), 8, AddressClass::kForbidden},           // "this network"; Linux connects 0.0.0.0 to itself
    {ipv4(192, 0, 0, 0), 24, AddressClass::kForbidden},        // protocol assignments; Oracle metadata
    {ipv4(224, 0, 0, 0), 3, AddressClass::kForbidden},         // multicast, reserved, broadcast
    {ipv4(127, 0, 0, 0), 8, AddressClass::kPrivate},          {ipv4(10, 0, 0, 0), 8, AddressClass::kPrivate},
    {ipv4(172, 16, 0, 0), 12, AddressClass::kPrivate},        {ipv4(192, 168, 0, 0), 16, AddressClass::kPrivate},
    {ipv4(100, 64, 0, 0), 10, AddressClass::kPrivate},        {ipv4(198, 18, 0, 0), 15, AddressClass::kPrivate},
};

AddressClass classify_ipv4(std::span<const std::uint8_t> bytes) {
  const std::uint32_t address = ipv4(bytes[0], bytes[1], bytes[2], bytes[3]);
  for (const auto& range : kIpv4Ranges) {
    const int shift = 32 - range.bits;
    if ((address >> shift) == (range.network >> shift)) return range.kind;
  }
  return AddressClass::kPublic;
}

bool has_prefix(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> prefix) {
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (bytes[i] != prefix[i]) return false;
  }
  return true;
}

constexpr std::array<std::uint8_t, 16> kUnspecified = {};
constexpr std::array<std::uint8_t, 16> kLoopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr std::array<std::uint8_t, 16> kAmazonMetadata = {0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0,
                                                          0,    0,    0,    0,    0, 0, 2, 0x54};
constexpr std::array<std::uint8_t, 16> kGoogleMetadata = {0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0,
                                                          0,    0,    0,    0,    0, 0, 2, 0x54};
constexpr std::array<std::uint8_t, 12> kCompatible = {};
constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<std::uint8_t, 12> kTranslated = {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0};  // ::ffff:0:a.b.c.d
constexpr std::array<std::uint8_t, 12> kNat64 = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
constexpr std::array<std::uint8_t, 2> kSixToFour = {0x20, 0x02};
constexpr std::array<std::uint8_t, 4> kTeredo = {0x20, 0x01, 0, 0};

AddressClass classify_teredo(std::span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, 4> client{};  // stored inverted, RFC 4380 section 4
  for (std::size_t i = 0; i < client.size(); ++i) client[i] = static_cast<std::uint8_t>(~bytes[12 + i]);
  return classify_ipv4(client);
}

AddressClass classify_ipv6(std::span<const std::uint8_t> bytes) {
  if (has_prefix(bytes, kUnspecified)) return AddressClass::kForbidden;
  if (has_prefix(bytes, kLoopback)) return AddressClass::kPrivate;
  if (has_prefix(bytes, kAmazonMetadata) || has_prefix(bytes, kGoogleMetadata)) return AddressClass::kForbidden;
  for (const auto* prefix : {&kCompatible, &kMapped, &kTranslated, &kNat64}) {
    if (has_prefix(bytes, *prefix)) return classify_ipv4(bytes.subspan(12, 4));
  }
  if (has_prefix(bytes, kSixToFour)) return classify_ipv4(bytes.subspan(2, 4));
  if (has_prefix(bytes, kTeredo)) return classify_teredo(bytes);
  if ((bytes[0] & 0xfe) == 0xfc) return AddressClass::kPrivate;  // unique local
  if ((bytes[0] & 0xe0) == 0x20) return AddressClass::kPublic;   // 2000::/3, the only range that is handed out
  return AddressClass::kForbidden;  // link-local, multicast, local NAT64, discard and everything unassigned
}

}  // namespace

AddressClass classify_address(std::span<const std::uint8_t> bytes) {
  if (bytes.size() == 4) return classify_ipv4(bytes);
  if (bytes.size() == 16) return classify_ipv6(bytes);
  return AddressClass::kForbidden;
}

}  // namespace akr
