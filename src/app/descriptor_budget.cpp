#include "app/descriptor_budget.hpp"

#include <limits>
#include <string>

#include <sys/resource.h>

#include "base/log.hpp"

namespace akr {
namespace {

constexpr std::size_t kProcess = 48;  // streams, database with its journal and backups, prober, blocking threads
constexpr std::size_t kWorker = 32;   // epoll, eventfd, timerfd, listener, DNS, eight kept pipes

// Four clients: their own, four upstreams, and one with a temporary file or half a pipe.
constexpr std::size_t kFourClients = 9;

std::size_t fixed(std::size_t workers, std::size_t reserved) { return kProcess + kWorker * workers + reserved; }

}  // namespace

std::size_t descriptor_limit() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return std::numeric_limits<std::size_t>::max();
  }
  return limit.rlim_cur;
}

std::size_t descriptors_for(std::size_t connections, std::size_t workers, std::size_t reserved) {
  return fixed(workers, reserved) + (connections * kFourClients + 3) / 4;
}

std::size_t connections_within(std::size_t limit, std::size_t workers, std::size_t reserved) {
  const std::size_t own = fixed(workers, reserved);
  if (limit <= own + 3) return 1;
  return (limit - own) / kFourClients * 4 + (limit - own) % kFourClients * 4 / kFourClients;
}

std::size_t allowed_connections(std::size_t wanted, std::size_t workers, std::size_t reserved) {
  const std::size_t limit = descriptor_limit();
  const std::size_t allowed = connections_within(limit, workers, reserved);
  if (wanted <= allowed) return wanted;
  log_warn(
      "connections_limited",
      {{"max_connections", wanted},
       {"allowed", allowed},
       {"nofile", limit},
       {"message", "MAX_CONNECTIONS=" + std::to_string(wanted) + " needs " +
                       std::to_string(descriptors_for(wanted, workers, reserved)) + " file descriptors, the limit is " +
                       std::to_string(limit) + ": " + std::to_string(allowed) +
                       " connections are allowed; raise the limit (ulimit -n, LimitNOFILE=, --ulimit nofile=) or "
                       "lower MAX_CONNECTIONS"}});
  return allowed;
}

}  // namespace akr
