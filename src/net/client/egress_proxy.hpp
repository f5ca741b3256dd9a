// egress_proxy.hpp - asks an outbound proxy, over a connection to it, for a tunnel to an upstream (CONNECT of RFC 9110,
// SOCKS5 of RFC 1928 and 1929).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "net/client/connector.hpp"
#include "net/loop/socket_address.hpp"
#include "net/loop/stream.hpp"
#include "net/loop/task.hpp"

namespace akr::net {

struct TunnelTarget {
  std::string host;  // name or literal
  std::uint16_t port = 0;
};

// Both leave the stream at the first byte of the upstream.  kEgressProxy; kUpstreamConnectTimeout if the deadline
// passed; kShuttingDown if the worker stopped.  `stream` and `proxy` live until the end.
Task<Result<void>> open_http_tunnel(Stream& stream, const EgressProxy& proxy, TunnelTarget target, TimePoint deadline);
// A literal is sent as an address, anything else as a name that the proxy resolves.
Task<Result<void>> open_socks_tunnel(Stream& stream, const EgressProxy& proxy, TunnelTarget target, TimePoint deadline);

}  // namespace akr::net
