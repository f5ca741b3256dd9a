// connector.hpp - from "host, port, TLS?, through which proxy?" to a connected Stream.
//
// Resolves (resolver.hpp), connects to what the address policy allows with a head start for IPv6 (dial.hpp), goes
// through the egress proxy, shakes hands (tls.hpp).  One Connector per worker; its methods run on that worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/proxy_url.hpp"
#include "base/result.hpp"
#include "net/client/dial.hpp"
#include "net/dns/resolver.hpp"
#include "net/loop/stream.hpp"
#include "net/loop/task.hpp"

namespace akr::net {

// An outbound proxy.  http and https use CONNECT for TLS upstreams and for plain ones alike; socks5 resolves here,
// socks5h at the proxy (no local DNS at all).
using EgressProxy = ProxyUrl;

// What parse_proxy_url() accepts, with a host that can be resolved.  kInvalid (field "egress_proxy") otherwise; its
// message repeats nothing of the URL.
Result<EgressProxy> parse_egress_proxy(std::string_view url);

// The value of such a variable as a URL: one without a scheme means http.  "" stays "".
std::string env_proxy_url(std::string_view value);

// The proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY (either case; HTTP_PROXY in lower case only, because
// CGI servers set the upper-case form from a client's header) name for this upstream, as env_proxy_url(); "" = none.
// NO_PROXY: "*", or a comma list of names (with their subdomains), addresses and CIDR blocks, each
// with an optional :port.  localhost and loopback addresses are never proxied.  Used with USE_ENV_PROXY=true.
std::string env_proxy_for(bool tls, std::string_view host, std::uint16_t port,
                          const std::function<const char*(const char*)>& getenv);

struct ConnectTarget {
  bool tls = false;
  std::string_view host;  // name or literal, IPv6 without brackets
  std::uint16_t port = 0;
  const EgressProxy* proxy = nullptr;  // nullptr = direct
};

struct ConnectorOptions {
  // Asked about every address that is connected to, a proxy's own too, and about what a proxy is asked for.  With an
  // http, https or socks5h proxy that is literals only: names are resolved on its side.
  AddressPolicy address_allowed;
  std::string ca_file;  // extra CA bundle beside the system's; "" = none
  ResolverOptions resolver = {};
};

class Connector {
 public:
  Connector(Worker& worker, ConnectorOptions options);
  ~Connector();

  // Errors: kUpstreamUnresolved, kUpstreamConnect, kUpstreamConnectTimeout (the deadline passed, wherever),
  // kUpstreamTls, kUpstreamRefused, kEgressProxy, kShuttingDown (the worker stopped), kOverloaded (we lack descriptors,
  // memory or ports: nobody's fault up there).  Messages name host and reason, never a credential.  Nothing of the
  // upstream request may be written before this returned: certificates are verified by then.  What `target` refers to
  // lives until the end.
  Task<Result<std::unique_ptr<Stream>>> connect(ConnectTarget target, TimePoint deadline);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace akr::net
