#include "admin/publisher.hpp"

#include <unordered_set>

#include <sodium.h>

#include "base/log.hpp"
#include "core/text_rules.hpp"

namespace akr {
namespace {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof seed);
  return seed;
}

JoinRule join_rule(const Service& service) {
  if (service.type == ServiceType::kGeneric) return JoinRule::kGeneric;
  return service.api_format == "openai_compatible" ? JoinRule::kOpenAi : JoinRule::kPlain;
}

std::string allow_header(const Service& service) {
  std::string allow;
  for (const std::string& method : service.methods) allow += (allow.empty() ? "" : ", ") + method;
  return allow;
}

}  // namespace

Publisher::Publisher(ConfigStore& store, ClusterState& cluster, const ValidationPolicy& policy, Publish publish)
    : store_(store), cluster_(cluster), policy_(policy), publish_(std::move(publish)) {}

Result<void> Publisher::refresh() {
  MutexLock lock(mutex_);
  for (auto& [id, pool] : pools_) pool.stale = true;
  return rebuild();
}

Result<void> Publisher::service_changed() {
  // Told even if this node fails to refresh: the write is in the store.
  cluster_.announce();
  MutexLock lock(mutex_);
  return rebuild();
}

Result<void> Publisher::keys_changed(ServiceId service) {
  cluster_.announce();
  MutexLock lock(mutex_);
  if (const auto found = pools_.find(service); found != pools_.end()) found->second.stale = true;
  return rebuild();
}

Result<void> Publisher::retry() {
  MutexLock lock(mutex_);
  if (!status_.failure) return {};
  return rebuild();
}

PublisherStatus Publisher::status() {
  MutexLock lock(mutex_);
  return status_;
}

std::shared_ptr<KeyPool> Publisher::pool(ServiceId service) {
  MutexLock lock(mutex_);
  const auto found = pools_.find(service);
  return found == pools_.end() ? nullptr : found->second.keys;
}

Result<void> Publisher::rebuild() {
  std::vector<RoutedService> routed;
  if (auto collected = collect(routed); !collected) {
    log_error("publish_failed", {{"code", to_string(collected.error().code)}, {"message", collected.error().message}});
    status_.failure = collected.error();
    return collected;
  }
  publish_(std::make_shared<const RoutingTable>(std::move(routed)));
  status_.failure.reset();
  ++status_.published;
  return {};
}

Result<void> Publisher::collect(std::vector<RoutedService>& routed) {
  auto services = store_.list_services();
  if (!services) return services.error();
  std::vector<std::string> left_out;
  std::unordered_set<ServiceId> present;
  for (Service& service : *services) {
    present.insert(service.id);
    auto pool = current_pool(service);
    if (!pool) return pool.error();
    // Rows of the original, or of a time with other rules, may not keep the promises that the data plane relies on.
    auto valid = validate_service(service, policy_);
    auto url = parse_upstream_url(service.target_url);
    if (!valid || !url) {
      const Error& why = valid ? url.error() : valid.error();
      left_out.push_back(service.slug + ": " + why.message);
      log_warn("service_left_out", {{"service", service.slug}, {"field", why.field}, {"message", why.message}});
      continue;
    }
    RoutedService entry{.url = *std::move(url), .join = join_rule(service), .allow = allow_header(service)};
    entry.keys = (*pool)->keys;
    entry.config = std::move(service);
    routed.push_back(std::move(entry));
  }
  std::erase_if(pools_, [&](const auto& each) { return !present.contains(each.first); });
  status_.left_out = std::move(left_out);
  return {};
}

Result<Publisher::Pool*> Publisher::current_pool(const Service& service) {
  Pool& pool = pools_[service.id];
  if (!pool.keys) pool.keys = std::make_shared<KeyPool>(random_seed());
  if (pool.policy != service.selection_policy || pool.auto_disable != service.auto_disable) {
    auto configured = pool.keys->configure({.policy = service.selection_policy, .auto_disable = service.auto_disable});
    if (configured) {
      pool.policy = service.selection_policy;
      pool.auto_disable = service.auto_disable;
    } else {
      log_warn("selection_policy_unknown", {{"service", service.slug}, {"message", configured.error().message}});
    }
  }
  if (!pool.stale) return &pool;
  if (auto read = read_keys(service.id, *pool.keys); !read) return read.error();
  pool.stale = false;
  return &pool;
}

Result<void> Publisher::read_keys(ServiceId service, KeyPool& pool) {
  auto keys = store_.list_keys(service);
  if (!keys) return keys.error();
  std::size_t unfit = 0;
  for (UpstreamKey& key : *keys) {
    // Never validated if it came from the original: a line break in it would forge headers.
    if (!key.readable || (!key.secret.empty() && !has_control(key.secret.expose()))) continue;
    key.readable = false;
    ++unfit;
  }
  if (unfit > 0) log_warn("keys_left_out", {{"service_id", service.value}, {"count", unfit}});
  pool.replace_keys(*keys);
  return {};
}

}  // namespace akr
