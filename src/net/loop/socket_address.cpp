#include "net/loop/socket_address.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <arpa/inet.h>

#include "base/strings.hpp"

namespace akr::net {

SocketAddress make_address(std::span<const std::uint8_t> bytes, std::uint16_t port) {
  SocketAddress result;
  if (bytes.size() == 4) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    std::memcpy(&address.sin_addr, bytes.data(), 4);
    std::memcpy(&result.storage, &address, sizeof address);
    result.length = sizeof address;
  } else {
    sockaddr_in6 address = {};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    std::memcpy(&address.sin6_addr, bytes.data(), 16);
    std::memcpy(&result.storage, &address, sizeof address);
    result.length = sizeof address;
  }
  return result;
}

std::optional<SocketAddress> parse_address(std::string_view literal, std::uint16_t port) {
  if (literal.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string text(literal);
  std::array<std::uint8_t, 16> bytes = {};
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return make_address(std::span(bytes).first(4), port);
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return make_address(bytes, port);
  return std::nullopt;
}

std::span<const std::uint8_t> address_bytes(const SocketAddress& address) {
  const auto* start = reinterpret_cast<const std::uint8_t*>(&address.storage);
  if (address.ipv6()) return {start + offsetof(sockaddr_in6, sin6_addr), 16};
  return {start + offsetof(sockaddr_in, sin_addr), 4};
}

bool is_host_name(std::string_view host) {
  const auto allowed = [](char c) {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  return !host.empty() && host.size() <= 254 && std::all_of(host.begin(), host.end(), allowed);
}

std::string to_text(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  ::inet_ntop(address.storage.ss_family, address_bytes(address).data(), text.data(), text.size());
  return text.data();
}

std::string authority(std::string_view host, std::uint16_t port) {
  const bool literal = host.find(':') != std::string_view::npos;
  std::string text;
  if (literal) text += '[';
  text += host;
  if (literal) text += ']';
  text += ':';
  text += std::to_string(port);
  return text;
}

}  // namespace akr::net
