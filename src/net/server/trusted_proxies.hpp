// trusted_proxies.hpp - which peers may say who their client is (TRUSTED_PROXIES), and what a request's X-Forwarded-*
// and Forwarded fields then tell.  Pure; any thread.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/ip_address.hpp"
#include "net/http/http1.hpp"

namespace akr::net {

class TrustedProxies {
 public:
  TrustedProxies() = default;
  explicit TrustedProxies(std::vector<IpNetwork> networks) : networks_(std::move(networks)) {}
  bool empty() const { return networks_.empty(); }
  bool contains(const IpAddress& address) const;

 private:
  std::vector<IpNetwork> networks_;
};

// Where a request comes from, as its trusted peer tells.
struct ForwardedClient {
  IpAddress address;  // the peer's own if nothing usable was said
  enum class Scheme { kUnsaid, kHttp, kHttps } scheme = Scheme::kUnsaid;
};

// REQUIRES: `peer` is one of `trusted`.
//
// X-Forwarded-For and Forwarded (RFC 7239) are read from right to left, as each proxy appends what it saw: trusted
// addresses are passed over, the first other one is the client.  What stands left of it may be the client's own
// invention and is not looked at.  If all are trusted, the leftmost is the client.  An obfuscated or unknown node
// ("_gw", "unknown") is nobody we can name: the trusted hop that said so stands for it.  The peer's own address stands
// for whatever is malformed, and for two fields that disagree: one of them was not written by the proxy.
//
// X-Forwarded-Proto and the proto parameters of Forwarded give kHttps if all of them say https, kHttp if any does not.
ForwardedClient forwarded_client(const MessageHead& head, const IpAddress& peer, const TrustedProxies& trusted);

}  // namespace akr::net
