// socket_address.hpp - an IPv4 or IPv6 address with its port, and how hosts are written.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

namespace akr::net {

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t length = 0;

  bool ipv6() const { return storage.ss_family == AF_INET6; }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// `bytes`: 4 or 16, network order.
SocketAddress make_address(std::span<const std::uint8_t> bytes, std::uint16_t port);

// "127.0.0.1", "::1"; no brackets, no zone, none of the short forms ("127.1", "0x7f000001").
std::optional<SocketAddress> parse_address(std::string_view literal, std::uint16_t port);

// The 4 or 16 bytes of the address, network order; valid while `address` lives.
std::span<const std::uint8_t> address_bytes(const SocketAddress& address);

// Letters, digits, '-', '.' and '_', at most 254: what DNS can carry, and nothing that means something in an HTTP head.
bool is_host_name(std::string_view host);

// "192.0.2.1" or "2001:db8::1", without the port.
std::string to_text(const SocketAddress& address);

// "host:port", an IPv6 literal in brackets.
std::string authority(std::string_view host, std::uint16_t port);

}  // namespace akr::net
