// dial.hpp - TCP to the first of several addresses that answers (RFC 8305: a head start for the better ones).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "net/loop/socket_address.hpp"
#include "net/loop/stream.hpp"
#include "net/loop/task.hpp"
#include "net/loop/worker.hpp"

namespace akr::net {

// The same addresses, IPv6 and IPv4 in turn, the first one's family first.
std::vector<SocketAddress> alternate_families(const std::vector<SocketAddress>& addresses);

// May this address (4 or 16 bytes, network order) be connected to (behaviour.md D16)?
using AddressPolicy = std::function<bool(std::span<const std::uint8_t>)>;

// Those of `addresses` (not empty) that `policy` allows, or kUpstreamRefused.  `host` is for the message.
Result<std::vector<SocketAddress>> only_allowed(const AddressPolicy& policy,
                                                const std::vector<SocketAddress>& addresses, const std::string& host);

struct DialTarget {
  std::vector<SocketAddress> addresses;  // not empty
  std::string host;                      // for messages
  std::uint16_t port = 0;                // for messages
};

// Connects to those addresses that `policy` allows (families in turn): the next after 250 ms, or at once after a
// failure; at most two attempts are open, one that is silent for 2 s makes room.  The first that connects is returned
// with TCP_NODELAY set, the others are closed.  No other code connects to an upstream or a proxy, so no address gets
// past the policy, however it was found.  `policy` lives until the end.
// kUpstreamRefused; kUpstreamConnect; kOverloaded if we lacked a descriptor, memory or port; kUpstreamConnectTimeout if
// the deadline passed; kShuttingDown if the worker stopped.
Task<Result<std::unique_ptr<Stream>>> dial(Worker& worker, const AddressPolicy& policy, DialTarget target,
                                           TimePoint deadline);

}  // namespace akr::net
