// resolver.hpp - names to addresses by c-ares on the worker's own loop: a slow name stalls nobody else.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "net/dns/dns_channel.hpp"
#include "net/loop/socket_address.hpp"
#include "net/loop/task.hpp"
#include "net/loop/worker.hpp"

namespace akr::net {

struct ResolverOptions {
  DnsServers servers;
  std::chrono::milliseconds min_ttl{1000};      // a record may say 0
  std::chrono::milliseconds max_ttl{60'000};    // behaviour.md D39
  std::chrono::milliseconds failure_ttl{5000};  // reliability.md B-15
  std::size_t max_names = 1000;                 // kept at a time
};

class Resolver {
 public:
  explicit Resolver(Worker& worker, ResolverOptions options = {});
  ~Resolver();
  // The addresses of `host` (at most 16 of each family), IPv6 first; `port` filled in.  Literals and localhost are
  // answered at once.  Cached for the record's TTL, at most 60 s (D39), at least 1 s; failures for 5 s; concurrent
  // askers share one query.  When one family has answered, the other has 50 ms more (RFC 8305 section 3), so that a
  // server that drops AAAA queries costs no more than that.  Opens no socket and reads no file before the first name.
  // kUpstreamUnresolved; kUpstreamConnectTimeout if the deadline passed; kShuttingDown if the worker stopped.
  Task<Result<std::vector<SocketAddress>>> resolve(std::string host, std::uint16_t port, TimePoint deadline);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace akr::net
