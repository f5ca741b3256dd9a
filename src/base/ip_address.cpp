#include "base/ip_address.hpp"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>

#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kMappedBits = 96;

Error bad_part(std::string_view part, std::string_view why) {
  return Error{.code = ErrorCode::kInvalid, .message = "'" + std::string(part) + "' " + std::string(why)};
}

IpAddress masked(const IpAddress& address, int bits) {
  IpAddress result;
  for (int i = 0; i < 16 && bits > 0; ++i, bits -= 8) {
    const unsigned mask = bits >= 8 ? 0xffU : 0xffU << (8 - bits);
    result.bytes[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(address.bytes[static_cast<std::size_t>(i)] & mask);
  }
  return result;
}

Result<IpNetwork> parse_network(std::string_view part) {
  const auto slash = part.find('/');
  const auto address = parse_ip(part.substr(0, slash));
  if (!address) return bad_part(part, "is neither an IP address nor a network such as 10.0.0.0/8 or fd00::/8");
  const bool v4 = part.find(':') == std::string_view::npos;
  IpNetwork network{.base = *address};
  if (slash == std::string_view::npos) return network;
  const auto bits = parse_u64(part.substr(slash + 1));
  const std::uint64_t most = v4 ? 32 : 128;
  if (!bits || *bits > most)
    return bad_part(part, v4 ? "needs a prefix from /0 to /32" : "needs a prefix from /0 to /128");
  network.bits = static_cast<int>(*bits) + (v4 ? kMappedBits : 0);
  const IpAddress base = masked(*address, network.bits);
  if (base != *address) {
    return bad_part(part, "has bits set behind its prefix; write " + to_text(base) + std::string(part.substr(slash)) +
                              " for the network or " + to_text(*address) + " for the one address");
  }
  return network;
}

}  // namespace

bool IpAddress::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), bytes.begin()); }

IpAddress ip_from_bytes(std::span<const std::uint8_t> bytes) {
  IpAddress address;
  if (bytes.size() == 4) {
    std::copy(kMapped.begin(), kMapped.end(), address.bytes.begin());
    std::copy(bytes.begin(), bytes.end(), address.bytes.begin() + kMapped.size());
  } else {
    std::copy_n(bytes.begin(), 16, address.bytes.begin());
  }
  return address;
}

std::optional<IpAddress> parse_ip(std::string_view literal) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  if (literal.size() >= text.size() || literal.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(literal.begin(), literal.end(), text.begin());
  std::array<std::uint8_t, 16> bytes = {};
  if (::inet_pton(AF_INET, text.data(), bytes.data()) == 1) return ip_from_bytes(std::span(bytes).first(4));
  if (::inet_pton(AF_INET6, text.data(), bytes.data()) == 1) return ip_from_bytes(bytes);
  return std::nullopt;
}

std::string to_text(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  const bool v4 = address.is_v4();
  const std::uint8_t* const bytes = address.bytes.data() + (v4 ? kMapped.size() : 0);
  ::inet_ntop(v4 ? AF_INET : AF_INET6, bytes, text.data(), text.size());
  return text.data();
}

IpAddress client_network(const IpAddress& address) { return address.is_v4() ? address : masked(address, 64); }

bool IpNetwork::contains(const IpAddress& address) const { return masked(address, bits) == base; }

Result<std::vector<IpNetwork>> parse_networks(std::string_view text) {
  std::vector<IpNetwork> networks;
  for (std::string_view part : split(text, ',')) {
    part = trim(part);
    if (part.empty()) continue;
    auto network = parse_network(part);
    if (!network) return network.error();
    networks.push_back(*network);
  }
  return networks;
}

std::size_t hash_of(const IpAddress& address, std::uint64_t seed) {
  std::uint64_t halves[2];
  std::memcpy(halves, address.bytes.data(), sizeof halves);
  std::uint64_t mixed = seed;
  for (std::uint64_t half : halves) {  // the finaliser of splitmix64, keyed
    mixed ^= half;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    mixed ^= (mixed >> 31) + seed;
  }
  return static_cast<std::size_t>(mixed);
}

}  // namespace akr
