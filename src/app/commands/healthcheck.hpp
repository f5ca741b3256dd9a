// healthcheck.hpp - asks a running gateway whether it is alive; for container health checks without a shell.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ip_address.hpp"
#include "base/result.hpp"

namespace akr {

struct HealthcheckTarget {
  std::string address = "::";  // LISTEN_ADDRESS; an unspecified address means this machine's loopback
  std::uint16_t port = 8000;
  bool tls = false;  // the certificate is not verified: it names the public host, not the loopback
  std::chrono::milliseconds timeout{3000};  // for each step
  // With PROXY_PROTOCOL: those whose connections begin with a header (TRUSTED_PROXIES); this machine may be one.
  std::vector<IpNetwork> headers_from = {};
};

// GET /healthz on a connection of its own.  Blocking.  Error: what did not work, in one sentence.
Result<void> check_health(const HealthcheckTarget& target);

}  // namespace akr
