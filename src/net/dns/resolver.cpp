#include "net/dns/resolver.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <unordered_map>

#include <sys/stat.h>

#include "base/strings.hpp"
#include "net/dns/dns_lookup.hpp"
#include "net/loop/shortage.hpp"

namespace akr::net {
namespace {

using LookupPtr = std::shared_ptr<DnsLookup>;

// RFC 6761 section 6.3: loopback, whoever is asked.  Not left to c-ares 1.18, which leaks memory for this name.
bool is_localhost(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name == "localhost" || name.ends_with(".localhost");
}

std::vector<SocketAddress> loopback(std::uint16_t port) {
  static constexpr std::array<std::uint8_t, 16> kIpv6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  static constexpr std::array<std::uint8_t, 4> kIpv4 = {127, 0, 0, 1};
  return {make_address(kIpv6, port), make_address(kIpv4, port)};
}

Error unresolved(const std::string& host, const std::string& why) {
  return Error{.code = ErrorCode::kUpstreamUnresolved, .message = "cannot resolve '" + host + "': " + why};
}

Error failure_of(const std::string& host, int status) {
  switch (status) {
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
      return Error{.code = ErrorCode::kShuttingDown, .message = "the gateway is stopping"};
    case DnsLookup::kShortage:
      return shortage_error("'" + host + "' could not be resolved", EMFILE);
    case ARES_ENOTFOUND:
      return unresolved(host, "no such name");
    case ARES_ENODATA:
      return unresolved(host, "the name has no address");
    case ARES_ETIMEOUT:
      return unresolved(host, "the DNS servers do not answer");
    default:
      return unresolved(host, ares_strerror(status));
  }
}

// Changes when the system's DNS servers do (network up after us, another network).
timespec resolv_conf_time() {
  struct stat status = {};
  ::stat("/etc/resolv.conf", &status);
  return status.st_mtim;
}

}  // namespace

struct Resolver::Parts {
  Worker& worker;
  const ResolverOptions options;
  std::unique_ptr<DnsChannel> channel;  // made for the first name
  timespec configured = {};
  std::unordered_map<std::string, LookupPtr> names;

  void open_channel();
  bool make_room();
  LookupPtr find(const std::string& name);
  Result<LookupPtr> find_or_start(const std::string& name);
};

void Resolver::Parts::open_channel() {
  if (!options.servers.list.empty()) {
    if (!channel) channel = std::make_unique<DnsChannel>(worker, options.servers);
    return;
  }
  const timespec latest = resolv_conf_time();
  if (channel && latest.tv_sec == configured.tv_sec && latest.tv_nsec == configured.tv_nsec) return;
  const auto busy = [](const auto& entry) { return entry.second->in_flight(); };
  if (channel && std::any_of(names.begin(), names.end(), busy)) return;  // the next quiet moment will do
  channel = std::make_unique<DnsChannel>(worker, options.servers);
  configured = latest;
}

bool Resolver::Parts::make_room() {
  if (names.size() < options.max_names) return true;
  const TimePoint now = worker.now();
  std::erase_if(names, [now](const auto& entry) { return entry.second->answered() && entry.second->expires() <= now; });
  if (names.size() < options.max_names) return true;
  auto first = names.end();
  for (auto it = names.begin(); it != names.end(); ++it) {
    if (!it->second->answered()) continue;
    if (first == names.end() || it->second->expires() < first->second->expires()) first = it;
  }
  if (first == names.end()) return false;
  names.erase(first);
  return true;
}

LookupPtr Resolver::Parts::find(const std::string& name) {
  const auto it = names.find(name);
  if (it == names.end()) return nullptr;
  if (!it->second->answered() || it->second->expires() > worker.now()) return it->second;
  names.erase(it);
  return nullptr;
}

Result<LookupPtr> Resolver::Parts::find_or_start(const std::string& name) {
  if (LookupPtr known = find(name)) return known;
  if (!make_room()) return unresolved(name, "too many names are being resolved");
  if (!descriptor_left(worker)) return shortage_error("'" + name + "' could not be resolved", EMFILE);
  try {
    open_channel();
  } catch (const std::exception& failure) {
    return unresolved(name, failure.what());
  }
  auto lookup = std::make_shared<DnsLookup>(worker, options);
  names.emplace(name, lookup);
  try {
    lookup->start(*channel, name);
  } catch (...) {
    names.erase(name);  // nobody would ever answer the next ones who ask for it
    throw;
  }
  return lookup;
}

Resolver::Resolver(Worker& worker, ResolverOptions options)
    : parts_(new Parts{.worker = worker, .options = std::move(options)}) {}

Resolver::~Resolver() {
  parts_->channel.reset();  // first: its callbacks use the rest
}

Task<Result<std::vector<SocketAddress>>> Resolver::resolve(std::string host, std::uint16_t port, TimePoint deadline) {
  if (const auto literal = parse_address(host, port)) co_return std::vector<SocketAddress>{*literal};
  if (!is_host_name(host)) co_return unresolved(host, "not a host name");
  const std::string name = to_lower(host);
  if (is_localhost(name)) co_return loopback(port);
  const Result<LookupPtr> started = parts_->find_or_start(name);
  if (!started) co_return started.error();
  const LookupPtr& lookup = *started;
  DnsLookup::Asker asker(lookup, deadline);
  const WaitEnd end = co_await asker;
  if (end == WaitEnd::kCancelled) co_return failure_of(host, ARES_ECANCELLED);
  if (end == WaitEnd::kTimeout) {
    co_return Error{.code = ErrorCode::kUpstreamConnectTimeout,
                    .message = "'" + host + "' was not resolved within the connect timeout"};
  }
  if (lookup->addresses().empty()) co_return failure_of(host, lookup->status());
  std::vector<SocketAddress> addresses;
  addresses.reserve(lookup->addresses().size());
  for (const SocketAddress& address : lookup->addresses()) {
    addresses.push_back(make_address(address_bytes(address), port));
  }
  co_return addresses;
}

}  // namespace akr::net
