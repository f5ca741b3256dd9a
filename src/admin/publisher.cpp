#include "admin/publisher.hpp"

#include <algorithm>
#include <ctime>
#include <unordered_set>

#include <sodium.h>

#include "base/log.hpp"
#include "core/service/text_rules.hpp"
#include "upstream/free_call.hpp"
#include "upstream/routed_service.hpp"

namespace akr {
namespace {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof seed);
  return seed;
}

// Of the zone that the process runs in (TZ), at that moment.
std::chrono::seconds utc_offset(WallTime wall) {
  const std::time_t time = std::chrono::system_clock::to_time_t(wall);
  std::tm local{};
  if (localtime_r(&time, &local) == nullptr) return std::chrono::seconds(0);
  return std::chrono::seconds(local.tm_gmtoff);
}

// Never validated if it came from the original, or for another place: a line break in it would forge headers, and dots
// in a path would lead out of the base.
void leave_out_unfit(ServiceId service, const KeyInPath& place, std::vector<UpstreamKey>& keys) {
  std::size_t unfit = 0;
  for (UpstreamKey& key : keys) {
    const std::string_view text = key.secret.expose();
    if (!key.readable || (!text.empty() && !has_control(text) && place.takes(text))) continue;
    key.readable = false;
    ++unfit;
  }
  if (unfit > 0) log_warn("keys_left_out", {{"service_id", service.value}, {"count", unfit}});
}

}  // namespace

Publisher::Publisher(ConfigStore& store, ClusterState& cluster, const ValidationPolicy& policy, Publish publish,
                     const Clock& clock)
    : store_(store), cluster_(cluster), policy_(policy), publish_(std::move(publish)), clock_(clock) {}

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

Result<void> Publisher::keys_added(ServiceId service) {
  cluster_.announce();
  MutexLock lock(mutex_);
  if (const auto found = pools_.find(service); found != pools_.end()) found->second.grown = true;
  return rebuild();
}

Result<void> Publisher::retry() {
  MutexLock lock(mutex_);
  tell_time();
  if (!status_.failure && !owed_) return {};
  return rebuild();
}

void Publisher::doubt() {
  MutexLock lock(mutex_);
  for (auto& [id, pool] : pools_) pool.stale = true;
  owed_ = true;
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

std::shared_ptr<UpstreamSet> Publisher::upstreams(ServiceId service) {
  MutexLock lock(mutex_);
  const auto found = pools_.find(service);
  return found == pools_.end() ? nullptr : found->second.upstreams;
}

std::vector<ServicePool> Publisher::pools() {
  MutexLock lock(mutex_);
  std::vector<ServicePool> all;
  for (const auto& [id, pool] : pools_) {
    if (pool.filled) all.push_back({id, pool.keys, pool.slug});
  }
  return all;
}

void Publisher::tell_time() {
  const WallTime wall = clock_.wall();
  for (auto& [id, pool] : pools_) pool.keys->set_wall_clock(clock_.now(), wall, utc_offset(wall));
}

Result<void> Publisher::rebuild() {
  owed_ = true;  // an exception on the way (no memory) leaves it so, and the next retry() does what is left to do
  std::vector<RoutedService> routed;
  if (auto collected = collect(routed); !collected) {
    // Tried again every second: the same failure is told once.
    const bool news = !status_.failure || status_.failure->message != collected.error().message;
    if (news)
      log_error("publish_failed",
                {{"code", to_string(collected.error().code)}, {"message", collected.error().message}});
    status_.failure = collected.error();
    return collected;
  }
  auto table = std::make_shared<const RoutingTable>(std::move(routed));
  note_fallbacks(*table);
  publish_(std::move(table));
  status_.failure.reset();
  owed_ = false;
  ++status_.published;
  return {};
}

// Every publication finds them again: each is told once.
void Publisher::note_fallbacks(const RoutingTable& table) {
  const auto& known = status_.left_out_fallbacks;
  for (const LeftOutFallback& each : table.left_out_fallbacks()) {
    if (std::find(known.begin(), known.end(), each) != known.end()) continue;
    log_warn("fallback_left_out",
             {{"service", each.service}, {"fallback_id", each.fallback.value}, {"message", each.why}});
  }
  status_.left_out_fallbacks = table.left_out_fallbacks();
}

// Every publication finds them again, as with fallbacks.
void Publisher::note_skipped(const std::string& slug, const SkippedRule& rule, const std::string& told) {
  const auto& known = status_.skipped_rules;
  if (std::find(known.begin(), known.end(), told) != known.end()) return;
  log_warn("failure_rule_skipped", {{"service", slug}, {"field", rule.field}, {"message", rule.message}});
}

Result<void> Publisher::collect(std::vector<RoutedService>& routed) {
  auto services = store_.list_services();
  if (!services) return services.error();
  std::vector<std::string> left_out, skipped_rules;
  std::unordered_set<ServiceId> present;
  for (Service& service : *services) {
    present.insert(service.id);
    auto pool = current_pool(service);
    if (!pool) return pool.error();
    std::vector<SkippedRule> skipped;
    auto compiled = compile_service(std::move(service), policy_, skipped);
    const std::string slug = (*pool)->slug;
    if (compiled) {
      if (auto updated = update_upstreams(**pool, compiled->config); !updated) compiled = updated.error();
    }
    if (!compiled) {
      const Error& why = compiled.error();
      left_out.push_back(slug + ": " + (why.field.empty() ? "" : why.field + ": ") + why.message);
      log_warn("service_left_out", {{"service", slug}, {"field", why.field}, {"message", why.message}});
      continue;
    }
    for (const SkippedRule& rule : skipped) {
      skipped_rules.push_back(slug + ": " + rule.field + ": " + rule.message);
      note_skipped(slug, rule, skipped_rules.back());
    }
    compiled->keys = (*pool)->keys;
    compiled->upstreams = (*pool)->upstreams;
    routed.push_back(*std::move(compiled));
  }
  std::erase_if(pools_, [&](const auto& each) { return !present.contains(each.first); });
  status_.left_out = std::move(left_out);
  status_.skipped_rules = std::move(skipped_rules);
  return {};
}

Result<Publisher::Pool*> Publisher::current_pool(const Service& service) {
  Pool& pool = pools_[service.id];
  if (!pool.keys) {
    pool.keys = std::make_shared<KeyPool>(random_seed());
    const WallTime wall = clock_.wall();
    pool.keys->set_wall_clock(clock_.now(), wall, utc_offset(wall));
  }
  pool.slug = service.slug;
  configure(pool, service);
  if (auto updated = update_keys(service, pool); !updated) return updated.error();
  return &pool;
}

void Publisher::configure(Pool& pool, const Service& service) {
  const PoolSettings wanted{.policy = service.selection_policy,
                            .auto_disable = service.auto_disable,
                            .invalid_after = service.invalid_after,
                            .outage_guard = service.outage_guard,
                            .try_invalid = !has_free_call(service),
                            .free_call = has_free_call(service)};
  const auto same = [&](const PoolSettings& now) {
    return now.policy == wanted.policy && now.auto_disable == wanted.auto_disable &&
           now.invalid_after == wanted.invalid_after && now.outage_guard == wanted.outage_guard &&
           now.try_invalid == wanted.try_invalid && now.free_call == wanted.free_call;
  };
  if (pool.settings && same(*pool.settings)) return;
  if (auto configured = pool.keys->configure(wanted); !configured) {
    log_warn("pool_settings_refused", {{"service", service.slug}, {"message", configured.error().message}});
    return;
  }
  pool.settings = wanted;
}

// An unchanged list keeps its set, and with it who is owed the next turn.
Result<void> Publisher::update_upstreams(Pool& pool, const Service& service) {
  const auto& wanted = service.upstreams;
  if (pool.upstreams && std::ranges::equal(pool.upstreams->list(), wanted)) return {};
  if (wanted.empty()) {
    pool.upstreams.reset();
    return {};
  }
  auto made = UpstreamSet::make(wanted, pool.upstreams.get());
  if (!made) return made.error();
  // One URL is never chosen from: it costs no bookkeeping.
  pool.upstreams = wanted.size() > 1 ? *std::move(made) : nullptr;
  return {};
}

// What is owed stays owed until it succeeded.
Result<void> Publisher::update_keys(const Service& service, Pool& pool) {
  if (KeyInPath place(service); !(place == pool.place)) {
    pool.place = std::move(place);
    pool.stale = true;
  }
  if (!pool.stale && pool.grown) {
    const auto appended = append_keys(service.id, pool);
    if (!appended) return appended.error();
    pool.stale = !*appended;
  }
  if (pool.stale) {
    if (auto read = read_keys(service.id, pool); !read) return read.error();
  }
  pool.stale = pool.grown = false;
  pool.filled = true;
  return {};
}

// False: the pool wants to see all of them.
Result<bool> Publisher::append_keys(ServiceId service, Pool& pool) {
  auto keys = store_.list_keys_after(service, pool.newest);
  if (!keys) return keys.error();
  leave_out_unfit(service, pool.place, *keys);
  if (!keys->empty() && !pool.keys->append_keys(*keys)) return false;
  if (!keys->empty()) pool.newest = keys->back().id;
  return true;
}

Result<void> Publisher::read_keys(ServiceId service, Pool& pool) {
  auto keys = store_.list_keys(service);
  if (!keys) return keys.error();
  leave_out_unfit(service, pool.place, *keys);
  pool.keys->replace_keys(*keys);
  if (!keys->empty()) pool.newest = std::max(pool.newest, keys->back().id);
  return {};
}

}  // namespace akr
