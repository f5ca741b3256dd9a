#include "jobs/key_prober.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <future>
#include <optional>
#include <random>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/count_up.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "net/client/upstream_pool.hpp"
#include "net/loop/worker.hpp"
#include "upstream/free_call.hpp"

namespace akr {
namespace {

constexpr int kMostAtOnce = 4;
constexpr int kMostLanes = kMostAtOnce - 1;  // of the queue: the way back of invalid keys stays open
constexpr std::size_t kMostQueued = 100'000;
constexpr std::chrono::seconds kTick{1};
constexpr std::chrono::milliseconds kMostJitter{3000};
constexpr std::chrono::milliseconds kLookForStop{100};

template <class Value>
using Promise = std::shared_ptr<std::promise<Result<Value>>>;

// Who waits for a result; kNobody: a probe in the background.
using Ticket = std::uint64_t;
constexpr Ticket kNobody = 0;

Error shutting_down() { return {ErrorCode::kShuttingDown, "the gateway is shutting down"}; }

// One key to ask about; keeps the table alive that the service lies in.
struct Probe {
  std::shared_ptr<const RoutingTable> table;
  const RoutedService* service = nullptr;
  KeyLease lease;
  Duration delay{0};
  Ticket asker = kNobody;
};

}  // namespace

struct KeyProber::State {
  explicit State(ProberOptions given) : worker(-1), options(std::move(given)) {}

  void run();
  net::Task<void> tick();
  void start_due();
  void start_queued();
  net::Task<void> work_off_queue();
  std::optional<Probe> next_queued();
  const RoutedService* find(ServiceId id) const;
  void spawn(const RoutedService& service, KeyLease lease, Duration delay, Ticket asker);
  net::Task<void> carry_out(Probe probe);
  net::Task<void> carry_out_alone(Probe probe);
  net::Task<ProbeResult> ask(const RoutedService& service, KeyLease& lease);
  // Runs work(promise) on the worker and waits until the promise is kept.
  template <class Value, class Work>
  Result<Value> on_worker(Work work);
  Result<const RoutedService*> probed_service(ServiceId id) const;
  std::optional<Ticket> note_asker(Done done);
  void answer(Ticket asker, Result<ProbeResult> result);
  void answer_all();
  void note_meaning(const RoutedService& service, KeyId key, int status, bool says_something);

  net::Worker worker;
  const ProberOptions options;
  std::thread thread;
  std::atomic<bool> stopped = false;
  Mutex mutex;
  Ticket last_ticket GUARDED_BY(mutex) = kNobody;
  std::unordered_map<Ticket, Done> askers GUARDED_BY(mutex);
  // Of the worker's thread alone.
  Caller* caller = nullptr;
  std::shared_ptr<const RoutingTable> table;
  std::deque<std::pair<ServiceId, KeyId>> queue;
  std::minstd_rand random{std::random_device()()};
  std::size_t turn = 0;  // which service is looked at first
  int running = 0;
  int lanes = 0;  // of them, how many work off the queue
  // The status of calls that say nothing about a key, by service: told when it changes.
  std::unordered_map<ServiceId, int> mute;
};

KeyProber::KeyProber(ProberOptions options) : state_(std::make_unique<State>(std::move(options))) {}

KeyProber::~KeyProber() { stop(); }

void KeyProber::start() {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

void KeyProber::stop() {
  if (state_->thread.joinable()) {
    state_->worker.stop();
    state_->thread.join();
  }
  state_->answer_all();
}

void KeyProber::publish(std::shared_ptr<const RoutingTable> table) {
  state_->worker.post([state = state_.get(), table = std::move(table)] { state->table = table; });
}

void KeyProber::State::run() {
  net::Connector connector(worker, options.connector);
  net::UpstreamPool connections(worker, connector, {});
  Caller calls(worker, connections, options.env_proxy);
  caller = &calls;
  worker.spawn(tick());
  worker.run();
  caller = nullptr;
}

net::Task<void> KeyProber::State::tick() {
  for (;;) {
    const net::WaitEnd end = co_await net::sleep_until(worker, worker.now() + kTick);
    if (end == net::WaitEnd::kCancelled) co_return;
    if (!table) continue;
    try {
      start_queued();
      start_due();
    } catch (const std::exception& failure) {
      log_failure("probes_failed", failure.what());  // no memory; the next tick tries again
    }
  }
}

const RoutedService* KeyProber::State::find(ServiceId id) const {
  if (!table) return nullptr;
  const auto found = std::find_if(table->services().begin(), table->services().end(),
                                  [id](const RoutedService& service) { return service.config.id == id; });
  return found == table->services().end() ? nullptr : &*found;
}

void KeyProber::State::start_queued() {
  for (std::size_t waiting = queue.size(); lanes < kMostLanes && running < kMostAtOnce && waiting > 0; --waiting) {
    worker.spawn(work_off_queue());
  }
}

// One key after the other, as long as there are any: a person waits for the whole list.
net::Task<void> KeyProber::State::work_off_queue() {
  const CountUp one_more(running), lane(lanes);
  net::WaitEnd end = net::WaitEnd::kTimeout;
  for (auto probe = next_queued(); probe && end != net::WaitEnd::kCancelled; probe = next_queued()) {
    co_await carry_out(*std::move(probe));
    // No burst against the provider, and an end when the worker stops.
    end = co_await net::sleep_until(worker, worker.now());
  }
}

std::optional<Probe> KeyProber::State::next_queued() {
  while (!queue.empty()) {
    const auto [id, key] = queue.front();
    queue.pop_front();
    const RoutedService* const service = find(id);
    if (service == nullptr || !has_free_call(service->config)) continue;
    auto lease = service->keys->lease_for_validation(key, worker.now());
    if (lease) return Probe{table, service, *std::move(lease), Duration(0), kNobody};
  }
  return std::nullopt;
}

// Each service comes first in its turn, so that one with many bad keys does not hold up the others.
void KeyProber::State::start_due() {
  const auto& services = table->services();
  ++turn;
  for (std::size_t i = 0; i < services.size() && running < kMostAtOnce; ++i) {
    const RoutedService& service = services[(turn + i) % services.size()];
    if (!service.config.active || !has_free_call(service.config)) continue;
    const auto limit = static_cast<std::size_t>(kMostAtOnce - running);
    for (const KeyId key : service.keys->due_for_validation(limit, worker.now())) {
      const auto status = service.keys->status(key, worker.now());
      if (!status || status->state != KeyState::kInvalid || status->standing == KeyStanding::kDisabled) continue;
      auto lease = service.keys->lease_for_validation(key, worker.now());
      const std::chrono::milliseconds jitter(static_cast<int>(random() % kMostJitter.count()));
      if (lease) spawn(service, *std::move(lease), jitter, kNobody);
    }
  }
}

void KeyProber::State::spawn(const RoutedService& service, KeyLease lease, Duration delay, Ticket asker) {
  worker.spawn(carry_out_alone(Probe{table, &service, std::move(lease), delay, asker}));
}

net::Task<void> KeyProber::State::carry_out_alone(Probe probe) {
  const CountUp one_more(running);
  co_await carry_out(std::move(probe));
}

net::Task<void> KeyProber::State::carry_out(Probe probe) {
  if (probe.delay.count() > 0) co_await net::sleep_until(worker, worker.now() + probe.delay);
  const std::int64_t key = probe.lease.key().id.value;
  const TimePoint began = worker.now();
  ProbeResult result = co_await ask(*probe.service, probe.lease);
  result.took = std::chrono::duration_cast<std::chrono::milliseconds>(worker.now() - began);
  probe.lease = KeyLease();
  log_info("key_probed", {{"service", probe.service->config.slug},
                          {"key_id", key},
                          {"valid", result.valid},
                          {"status", result.status},
                          {"reason", result.reason}});
  if (probe.asker != kNobody) answer(probe.asker, std::move(result));
}

net::Task<ProbeResult> KeyProber::State::ask(const RoutedService& service, KeyLease& lease) {
  const FreeCallAnswer told = co_await make_free_call(*caller, service, lease.key());
  ProbeResult result;
  result.status = told.status;
  result.reason = told.reason;
  if (told.status == 0) co_return result;
  result.valid = told.verdict.key == KeyAction::kGood;
  // A good answer lifts "invalid" only: that a model list is served says nothing about a quota.
  const auto status = service.keys->status(lease.key().id, worker.now());
  const bool invalid = status && status->state == KeyState::kInvalid;
  if (!result.valid || invalid) lease.report(told.verdict, worker.now());
  note_meaning(service, lease.key().id, told.status, told.verdict.key != KeyAction::kNone);
  co_return result;
}

// A wrong validation_path (404, a redirect to a login page) is no way back: then a request finds out.
void KeyProber::State::note_meaning(const RoutedService& service, KeyId key, int status, bool says_something) {
  if (says_something) {
    mute.erase(service.config.id);
    return;
  }
  service.keys->let_request_try(key, worker.now());
  const auto [known, is_new] = mute.try_emplace(service.config.id, status);
  if (!is_new && std::exchange(known->second, status) == status) return;
  log_warn("probe_says_nothing",
           {{"service", service.config.slug},
            {"status", status},
            {"message",
             "the answer to the validation call tells nothing about the key; is validation_path (or target_url) right? "
             "Invalid keys will be tried by requests"}});
}

template <class Value, class Work>
Result<Value> KeyProber::State::on_worker(Work work) {
  auto promise = std::make_shared<std::promise<Result<Value>>>();
  auto future = promise->get_future();
  worker.post([work = std::move(work), promise] { work(promise); });
  while (future.wait_for(kLookForStop) != std::future_status::ready) {
    // Once the worker has stopped nothing answers any more.
    if (stopped) return shutting_down();
  }
  return future.get();
}

Result<const RoutedService*> KeyProber::State::probed_service(ServiceId id) const {
  const RoutedService* const service = find(id);
  if (service == nullptr) return Error{ErrorCode::kNotFound, "The service is not published."};
  if (!has_free_call(service->config)) {
    return Error{ErrorCode::kUnsupported,
                 "There is no free call that could validate keys of this service: it needs a validation_path and an "
                 "api_key_name."};
  }
  return service;
}

// nullopt: nobody will answer any more, and `done` was told so.
std::optional<Ticket> KeyProber::State::note_asker(Done done) {
  {
    const MutexLock lock(mutex);
    if (!stopped) {
      askers.emplace(++last_ticket, std::move(done));
      return last_ticket;
    }
  }
  done(shutting_down());
  return std::nullopt;
}

void KeyProber::State::answer(Ticket asker, Result<ProbeResult> result) {
  Done done;
  {
    const MutexLock lock(mutex);
    auto node = askers.extract(asker);
    if (!node.empty()) done = std::move(node.mapped());
  }
  if (done) done(std::move(result));
}

// Those whose question, or whose answer, never came to its turn.
void KeyProber::State::answer_all() {
  std::unordered_map<Ticket, Done> left;
  {
    const MutexLock lock(mutex);
    stopped = true;
    left.swap(askers);
  }
  for (auto& [ticket, done] : left) done(shutting_down());
}

void KeyProber::validate(ServiceId service, KeyId key, Done done) {
  State& state = *state_;
  const auto asker = state.note_asker(std::move(done));
  if (!asker) return;
  state.worker.post([&state, service, key, ticket = *asker] {
    const auto found = state.probed_service(service);
    if (!found) return state.answer(ticket, found.error());
    auto lease = (*found)->keys->lease_for_validation(key, state.worker.now());
    if (!lease) return state.answer(ticket, lease.error());
    state.spawn(**found, *std::move(lease), Duration(0), ticket);
  });
}

Result<std::size_t> KeyProber::enqueue(ServiceId service, std::span<const KeyId> keys) {
  State& state = *state_;
  std::vector<KeyId> wanted(keys.begin(), keys.end());
  return state.on_worker<std::size_t>([&state, service, wanted](const Promise<std::size_t>& answer) {
    const auto found = state.probed_service(service);
    if (!found) return answer->set_value(found.error());
    const std::size_t count = std::min(wanted.size(), kMostQueued - state.queue.size());
    for (std::size_t i = 0; i < count; ++i) state.queue.emplace_back(service, wanted[i]);
    answer->set_value(count);
  });
}

}  // namespace akr
