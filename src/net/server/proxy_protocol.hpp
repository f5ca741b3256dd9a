// proxy_protocol.hpp - the PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): the line or block that a
// load balancer sends before anything else, TLS included, to say whose connection it forwards.
//
//   v1  "PROXY" SP ( "TCP4" | "TCP6" ) SP source SP destination SP port SP port CRLF
//       "PROXY UNKNOWN" ... CRLF                                             at most 107 bytes
//   v2  12 bytes signature, version and command, family and transport, 16 bit length, addresses, TLVs
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ip_address.hpp"
#include "net/loop/socket.hpp"
#include "net/loop/task.hpp"

namespace akr::net {

// Enough for any TLVs that are seen (the specification advises 536); they are passed over.
constexpr std::size_t kMaxProxyHeader = 4096;

struct ProxyHeader {
  enum class Status : std::uint8_t { kDone, kNeedMore, kError } status = Status::kError;
  std::size_t size = 0;  // of kDone: bytes that belong to it
  // Of kDone: whose connection it is.  nullopt: the sender's own (LOCAL: a health check), or one it cannot name
  // (UNKNOWN, UNSPEC, UNIX): then the peer's address holds.
  std::optional<IpAddress> source = std::nullopt;
};

// `bytes`: all that came so far.  Strict: what is neither version is kError with the first byte that shows it.
ProxyHeader parse_proxy_header(std::string_view bytes);

// Takes the header, and not one byte more, off a new connection.  kError: malformed, too late, or the peer left.
Task<ProxyHeader> read_proxy_header(Socket& socket, TimePoint deadline);

}  // namespace akr::net
