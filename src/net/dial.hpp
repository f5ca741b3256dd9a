// dial.hpp - TCP to the first of several addresses that answers (RFC 8305: a head start for the better ones).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "net/socket_address.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"
#include "net/worker.hpp"

namespace akr::net {

// The same addresses, IPv6 and IPv4 in turn, the first one's family first.
std::vector<SocketAddress> alternate_families(const std::vector<SocketAddress>& addresses);

// Connects to `addresses` (families in turn): the next after 250 ms, or at once
// after a failure; at most two attempts are open, one that is silent for 2 s makes room.  The first that connects is
// returned with TCP_NODELAY set, the others are closed.  `name` ("host:port") is for messages.
// kUpstreamConnect; kOverloaded if we lacked a descriptor, memory or port; kUpstreamConnectTimeout if the deadline
// passed; kShuttingDown if the worker stopped.
Task<Result<std::unique_ptr<Stream>>> dial(Worker& worker, std::vector<SocketAddress> addresses, std::string name,
                                           TimePoint deadline);

}  // namespace akr::net
