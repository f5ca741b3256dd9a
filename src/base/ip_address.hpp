// ip_address.hpp - addresses and networks as values: compared, masked, printed; no ports, no sockets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace akr {

// 16 bytes in network order.  An IPv4 address is held in its IPv6 form (::ffff:a.b.c.d), so that one client is one
// value whichever way it came.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes = {};

  bool is_v4() const;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

// `bytes`: 4 or 16, network order.
IpAddress ip_from_bytes(std::span<const std::uint8_t> bytes);
// "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; no brackets, port, zone or short form.
std::optional<IpAddress> parse_ip(std::string_view literal);
std::string to_text(const IpAddress& address);

// What counts as one client: an IPv4 address, or a customer's IPv6 network (/64), which has more addresses than we have
// memory.
IpAddress client_network(const IpAddress& address);

struct IpNetwork {
  IpAddress base;
  int bits = 128;  // of the 16 bytes; an IPv4 network has 96 more than it is written with

  bool contains(const IpAddress& address) const;
};

// A comma list of addresses and CIDR networks; empty parts are left out.  kInvalid names the part that is neither, or
// that has bits set behind its prefix: 10.1.2.3/8 may mean one host or sixteen million.
Result<std::vector<IpNetwork>> parse_networks(std::string_view text);

// For hash tables whose keys strangers choose: `seed` is random per process.
std::size_t hash_of(const IpAddress& address, std::uint64_t seed);

}  // namespace akr
