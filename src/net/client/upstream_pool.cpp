#include "net/client/upstream_pool.hpp"

#include "net/loop/worker.hpp"

namespace akr::net {

// A connection to an upstream, in use or idle.  While idle it waits for anything to happen to it, which is (nearly)
// always a reason to close it.
class PooledConnection final : public Waiter {
 public:
  PooledConnection(std::shared_ptr<OriginConnections> owner, std::unique_ptr<Stream> opened)
      : home(std::move(owner)), stream(std::move(opened)) {}
  PooledConnection(const PooledConnection&) = delete;
  PooledConnection& operator=(const PooledConnection&) = delete;
  ~PooledConnection() { detach(); }  // first: closing the socket would wake this, and drop it a second time

  const std::shared_ptr<OriginConnections> home;
  const std::unique_ptr<Stream> stream;
  TimePoint since{};  // idle since
  std::uint64_t sent = 0;
  std::size_t index = 0;  // in OriginConnections::idle
  bool used_before = false;

 private:
  void on_fire(WaitEnd end) override;
};

struct OriginConnections {
  OriginConnections(Worker& owner, const UpstreamLimits& bounds) : worker(owner), limits(bounds) {}
  void keep(std::unique_ptr<PooledConnection> connection);
  void watch(PooledConnection& connection);
  bool may_be_reused(PooledConnection& connection);
  void drop(std::size_t index);

  Worker& worker;
  UpstreamLimits limits;
  std::vector<std::unique_ptr<PooledConnection>> idle;  // the last one is the freshest
  std::size_t busy = 0;
  std::uint64_t opened = 0;
  std::uint64_t reused = 0;
};

namespace {

// Nothing to read: TLS tickets may make a socket readable without a byte for us.
bool is_quiet(Stream& stream) {
  Socket& socket = stream.socket();
  if (socket.dead() || socket.hung_up()) return false;
  if (!stream.tls()) return (socket.ready() & kRead) == 0 || socket.quiet();
  char byte = 0;
  // Not asked for want of budget is not quiet: what nobody looked at must not become the next request's answer.
  return stream.try_read(&byte, 1).status == IoStatus::kWouldBlock && !socket.refused(kRead | kWrite);
}

// The same, asking the kernel whatever the readiness bits say.
bool is_quiet_now(Stream& stream) { return stream.tls() ? is_quiet(stream) : stream.socket().quiet(); }

}  // namespace

void PooledConnection::on_fire(WaitEnd end) {
  if (end == WaitEnd::kReady && is_quiet(*stream)) {
    home->watch(*this);
  } else {
    const std::shared_ptr<OriginConnections> alive = home;  // this dies in the next line
    alive->drop(index);
  }
}

void OriginConnections::keep(std::unique_ptr<PooledConnection> connection) {
  // Bytes that are here already belong to no request: an answer too many.
  if (idle.size() >= limits.max_idle_per_origin || !is_quiet(*connection->stream)) return;
  try {
    idle.push_back(std::move(connection));
  } catch (const std::bad_alloc&) {
    return;  // it is closed then: a destructor brought it here
  }
  PooledConnection& kept = *idle.back();
  kept.since = worker.now();
  kept.index = idle.size() - 1;
  kept.used_before = true;
  watch(kept);
}

void OriginConnections::watch(PooledConnection& connection) {
  connection.watch(connection.stream->socket(), kRead | kHangup);
  worker.timers().arm(connection, connection.since + limits.idle_timeout);
}

void OriginConnections::drop(std::size_t index) {
  const std::unique_ptr<PooledConnection> gone = std::move(idle[index]);
  if (index + 1 < idle.size()) {
    idle[index] = std::move(idle.back());
    idle[index]->index = index;
  }
  idle.pop_back();
}

// What arrived since the last turn of the loop was not seen yet: an end, or an answer that belongs to nobody and must
// not become this request's.  Asking the kernel costs a tenth of a hot request, so a connection that rested for less
// than kHot is only looked up among the events of this turn.
bool OriginConnections::may_be_reused(PooledConnection& connection) {
  constexpr std::chrono::milliseconds kHot{10};
  Stream& stream = *connection.stream;
  if (worker.event_pending(stream.socket())) return is_quiet_now(stream);
  return worker.now() - connection.since < kHot || is_quiet_now(stream);
}

UpstreamConnection::UpstreamConnection() = default;
UpstreamConnection::UpstreamConnection(UpstreamConnection&& other) noexcept = default;

UpstreamConnection& UpstreamConnection::operator=(UpstreamConnection&& other) noexcept {
  if (this != &other) {
    release();
    connection_ = std::move(other.connection_);
    reusable_ = other.reusable_;
    spoiled_ = other.spoiled_;
  }
  return *this;
}

UpstreamConnection::~UpstreamConnection() { release(); }

Stream& UpstreamConnection::stream() { return *connection_->stream; }
bool UpstreamConnection::reused() const { return connection_->used_before; }
std::uint64_t UpstreamConnection::sent() const { return connection_->sent; }
void UpstreamConnection::note_sent(std::size_t bytes) { connection_->sent += bytes; }

void UpstreamConnection::release() {
  if (!connection_) return;
  OriginConnections& home = *connection_->home;
  --home.busy;
  if (reusable_) home.keep(std::move(connection_));
  connection_.reset();
}

std::size_t UpstreamPool::Hash::mix(bool tls, std::uint16_t port, std::string_view host, std::string_view proxy_key) {
  const std::hash<std::string_view> hash;
  return hash(host) * 31 + (proxy_key.empty() ? 0 : hash(proxy_key) * 17) + port * 2U + (tls ? 1U : 0U);
}

UpstreamPool::UpstreamPool(Worker& worker, Connector& connector, UpstreamLimits limits)
    : worker_(worker), connector_(connector), limits_(limits) {}

UpstreamPool::~UpstreamPool() { close_idle(); }

std::shared_ptr<OriginConnections> UpstreamPool::home_of(const UpstreamOrigin& origin) {
  const auto found = homes_.find(origin);
  if (found != homes_.end()) return found->second;
  Key key = {origin.tls, origin.port, std::string(origin.host), std::string(origin.proxy_key)};
  return homes_.emplace(std::move(key), std::make_shared<OriginConnections>(worker_, limits_)).first->second;
}

bool UpstreamPool::take_idle(const UpstreamOrigin& origin, UpstreamConnection& connection) {
  const auto found = homes_.find(origin);
  if (found == homes_.end()) return false;
  OriginConnections& home = *found->second;
  while (!home.idle.empty()) {
    std::unique_ptr<PooledConnection> idle = std::move(home.idle.back());
    home.idle.pop_back();
    idle->detach();
    if (!home.may_be_reused(*idle)) continue;
    connection.release();
    connection.connection_ = std::move(idle);
    connection.reusable_ = connection.spoiled_ = false;
    ++home.busy;
    ++home.reused;
    return true;
  }
  return false;
}

Task<Result<UpstreamConnection>> UpstreamPool::open(UpstreamOrigin origin, TimePoint deadline) {
  const ConnectTarget target = {origin.tls, origin.host, origin.port, origin.proxy};
  std::shared_ptr<OriginConnections> home = home_of(origin);
  auto stream = co_await connector_.connect(target, deadline);
  if (!stream) co_return stream.error();
  ++home->busy;
  ++home->opened;
  UpstreamConnection connection;
  connection.connection_ = std::make_unique<PooledConnection>(std::move(home), *std::move(stream));
  co_return std::move(connection);
}

void UpstreamPool::close_idle() {
  for (auto& [key, home] : homes_) home->idle.clear();
}

bool UpstreamPool::close_one_idle() {
  for (auto& [key, home] : homes_) {
    if (home->idle.empty()) continue;
    home->drop(0);  // the others keep their order but for the freshest: near enough
    return true;
  }
  return false;
}

PoolGauges UpstreamPool::gauges() const {
  PoolGauges sum;
  for (const auto& [key, home] : homes_) {
    sum.idle += home->idle.size();
    sum.busy += home->busy;
    sum.opened += home->opened;
    sum.reused += home->reused;
  }
  return sum;
}

}  // namespace akr::net
