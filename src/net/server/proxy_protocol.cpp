#include "net/server/proxy_protocol.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/socket.h>

#include "base/strings.hpp"
#include "net/loop/buffer.hpp"

namespace akr::net {
namespace {

using Status = ProxyHeader::Status;

constexpr std::string_view kV2Signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kV2Fixed = 16;
constexpr std::string_view kV1Start = "PROXY ";
constexpr std::size_t kV1Longest = 107;

ProxyHeader need_more() { return {.status = Status::kNeedMore}; }

// "65535", without sign, spaces or leading zeros.
bool is_port(std::string_view text) {
  const auto port = parse_u64(text);
  return port && *port <= 65'535 && (text.size() == 1 || text.front() != '0');
}

ProxyHeader parse_v1(std::string_view bytes) {
  const std::string_view start = bytes.substr(0, kV1Longest);
  const auto line_feed = start.find('\n');
  if (line_feed == std::string_view::npos) return bytes.size() >= kV1Longest ? ProxyHeader() : need_more();
  if (start[line_feed - 1] != '\r') return {};
  const std::size_t end = line_feed - 1;
  ProxyHeader header{.status = Status::kDone, .size = line_feed + 1};
  const auto parts = split(start.substr(kV1Start.size(), end - kV1Start.size()), ' ');
  if (parts[0] == "UNKNOWN") return header;  // what follows is to be ignored
  const bool v4 = parts[0] == "TCP4";
  if ((!v4 && parts[0] != "TCP6") || parts.size() != 5) return {};
  const auto source = parse_ip(parts[1]);
  const auto destination = parse_ip(parts[2]);
  if (!source || !destination || !is_port(parts[3]) || !is_port(parts[4])) return {};
  for (const std::string_view address : {parts[1], parts[2]}) {
    if ((address.find(':') == std::string_view::npos) != v4) return {};
  }
  header.source = *source;
  return header;
}

std::span<const std::uint8_t> raw(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

ProxyHeader parse_v2(std::string_view bytes) {
  if (bytes.size() < kV2Fixed) return need_more();
  const auto fixed = raw(bytes);
  const unsigned version = fixed[12] >> 4;
  const unsigned command = fixed[12] & 0x0fU;
  const unsigned family = fixed[13] >> 4;
  const unsigned transport = fixed[13] & 0x0fU;
  const std::size_t length = (std::size_t{fixed[14]} << 8) | fixed[15];
  constexpr std::array<std::size_t, 4> kAddressBytes = {0, 12, 36, 216};  // UNSPEC, IPv4, IPv6, UNIX
  if (version != 2 || command > 1 || family >= kAddressBytes.size() || transport > 2) return {};
  if (kV2Fixed + length > kMaxProxyHeader) return {};
  const bool local = command == 0;
  if (!local && length < kAddressBytes[family]) return {};
  if (bytes.size() < kV2Fixed + length) return need_more();
  ProxyHeader header{.status = Status::kDone, .size = kV2Fixed + length};
  // Of a connection that is no stream we can make nothing.
  if (!local && transport == 1 && family == 1) header.source = ip_from_bytes(fixed.subspan(kV2Fixed, 4));
  if (!local && transport == 1 && family == 2) header.source = ip_from_bytes(fixed.subspan(kV2Fixed, 16));
  return header;
}

bool may_become(std::string_view bytes, std::string_view start) {
  const std::size_t common = std::min(bytes.size(), start.size());
  return bytes.substr(0, common) == start.substr(0, common);
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view bytes) {
  if (may_become(bytes, kV2Signature)) return bytes.size() < kV2Signature.size() ? need_more() : parse_v2(bytes);
  if (may_become(bytes, kV1Start)) return bytes.size() < kV1Start.size() ? need_more() : parse_v1(bytes);
  return {};
}

// Looks without taking, so that what follows is left for TLS or HTTP.
Task<ProxyHeader> read_proxy_header(Socket& socket, TimePoint deadline) {
  Buffer memory = Buffer::lease(kMaxProxyHeader);
  for (;;) {
    const ssize_t seen = ::recv(socket.fd(), memory.data(), kMaxProxyHeader, MSG_PEEK | MSG_DONTWAIT);
    if (seen == 0 || (seen < 0 && errno != EAGAIN && errno != EINTR)) co_return ProxyHeader();
    if (seen > 0) {
      const ProxyHeader header = parse_proxy_header({memory.data(), static_cast<std::size_t>(seen)});
      if (header.status == Status::kDone) ::recv(socket.fd(), memory.data(), header.size, 0);
      if (header.status != Status::kNeedMore || socket.hung_up()) co_return header;
    }
    socket.clear_ready(kRead);  // a new byte brings a new edge
    const WaitEnd end = co_await wait_for(socket, kRead, deadline);
    if (end != WaitEnd::kReady) co_return ProxyHeader();
  }
}

}  // namespace akr::net
