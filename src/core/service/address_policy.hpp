// address_policy.hpp - which addresses an upstream may have (behaviour.md D16).  Pure; used on literals when a service
// is saved and on the address that is really connected to.
#pragma once

#include <cstdint>
#include <span>

namespace akr {

enum class AddressClass { kPublic, kPrivate, kForbidden };

// `bytes` is an IPv4 (4) or IPv6 (16) address in network order.  IPv4-mapped, IPv4-compatible, 6to4 and NAT64 forms are
// judged by the IPv4 address inside.  kForbidden: link-local (169.254/16, fe80::/10), cloud metadata (169.254.169.254,
// 100.100.100.200, fd00:ec2::254), unspecified, multicast, broadcast, reserved.
// kPrivate: loopback, RFC 1918, 100.64/10, 198.18/15, fc00::/7.
AddressClass classify_address(std::span<const std::uint8_t> bytes);

inline bool address_allowed(AddressClass kind, bool allow_private) {
  return kind == AddressClass::kPublic || (kind == AddressClass::kPrivate && allow_private);
}

}  // namespace akr
