#include "net/upstream_pool.hpp"

#include "net/worker.hpp"

namespace akr::net {
namespace {

// A connection nobody uses; waits for anything to happen to it, which is always a reason to close it.
class IdleConnection final : public Waiter {
 public:
  IdleConnection(OriginConnections& home, std::unique_ptr<Stream> stream) : home_(home), stream_(std::move(stream)) {}
  std::unique_ptr<Stream> take() {
    detach();
    return std::move(stream_);
  }
  TimePoint since{};
  std::uint64_t sent = 0;
  std::size_t index = 0;  // in OriginConnections::idle

 private:
  friend struct akr::net::OriginConnections;
  void on_fire(WaitEnd end) override;
  OriginConnections& home_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace

struct OriginConnections {
  explicit OriginConnections(Worker& owner, const UpstreamLimits& bounds) : worker(owner), limits(bounds) {}
  void keep(std::unique_ptr<Stream> stream, std::uint64_t sent);
  void watch_idle(IdleConnection& connection);
  void drop(std::size_t index);

  Worker& worker;
  UpstreamLimits limits;
  std::vector<std::unique_ptr<IdleConnection>> idle;  // the last one is the freshest
  std::size_t busy = 0;
  std::uint64_t opened = 0;
  std::uint64_t reused = 0;
};

namespace {

// Nothing to read: TLS tickets may make a socket readable without a byte for us.
bool is_quiet(Stream& stream) {
  if (stream.socket().dead() || stream.socket().hung_up()) return false;
  char byte = 0;
  return stream.try_read(&byte, 1).status == IoStatus::kWouldBlock;
}

void IdleConnection::on_fire(WaitEnd end) {
  if (end != WaitEnd::kReady || !is_quiet(*stream_)) {
    home_.drop(index);
    return;
  }
  home_.watch_idle(*this);
}

std::string key_of(const UpstreamOrigin& origin) {
  std::string key;
  key.reserve(origin.host.size() + origin.proxy_key.size() + 16);
  key += origin.tls ? "s:" : "p:";
  key += origin.host;
  key += ':';
  key += std::to_string(origin.port);
  key += '|';
  key += origin.proxy_key;
  return key;
}

}  // namespace

void OriginConnections::keep(std::unique_ptr<Stream> stream, std::uint64_t sent) {
  // Bytes that are here already belong to no request: an answer too many.
  if (idle.size() >= limits.max_idle_per_origin || !is_quiet(*stream)) return;
  auto connection = std::make_unique<IdleConnection>(*this, std::move(stream));
  connection->since = worker.now();
  connection->sent = sent;
  connection->index = idle.size();
  watch_idle(*connection);
  idle.push_back(std::move(connection));
}

void OriginConnections::watch_idle(IdleConnection& connection) {
  connection.watch(connection.stream_->socket(), kRead | kHangup);
  worker.timers().arm(connection, connection.since + limits.idle_timeout);
}

void OriginConnections::drop(std::size_t index) {
  const std::unique_ptr<IdleConnection> gone = std::move(idle[index]);
  if (index + 1 < idle.size()) {
    idle[index] = std::move(idle.back());
    idle[index]->index = index;
  }
  idle.pop_back();
}

UpstreamConnection::UpstreamConnection(UpstreamConnection&& other) noexcept { *this = std::move(other); }

UpstreamConnection& UpstreamConnection::operator=(UpstreamConnection&& other) noexcept {
  if (this != &other) {
    release();
    stream_ = std::move(other.stream_);
    home_ = std::move(other.home_);
    reused_ = other.reused_;
    reusable_ = other.reusable_;
    spoiled_ = other.spoiled_;
    idle_for_ = other.idle_for_;
    sent_ = other.sent_;
  }
  return *this;
}

void UpstreamConnection::release() {
  if (!stream_) return;
  --home_->busy;
  if (reusable_) home_->keep(std::move(stream_), sent_);
  stream_.reset();
  home_.reset();
}

UpstreamPool::UpstreamPool(Worker& worker, Connector& connector, UpstreamLimits limits)
    : worker_(worker), connector_(connector), limits_(limits) {}

UpstreamPool::~UpstreamPool() { close_idle(); }

std::shared_ptr<OriginConnections> UpstreamPool::home_of(const UpstreamOrigin& origin) {
  auto& home = homes_[key_of(origin)];
  if (!home) home = std::make_shared<OriginConnections>(worker_, limits_);
  return home;
}

bool UpstreamPool::take_idle(const UpstreamOrigin& origin, UpstreamConnection& connection) {
  const auto found = homes_.find(key_of(origin));
  if (found == homes_.end() || found->second->idle.empty()) return false;
  OriginConnections& home = *found->second;
  const std::unique_ptr<IdleConnection> idle = std::move(home.idle.back());
  home.idle.pop_back();
  connection.release();
  connection.stream_ = idle->take();
  connection.home_ = found->second;
  connection.reused_ = true;
  connection.reusable_ = connection.spoiled_ = false;
  connection.sent_ = idle->sent;
  connection.idle_for_ = worker_.now() - idle->since;
  ++home.busy;
  ++home.reused;
  return true;
}

Task<Result<UpstreamConnection>> UpstreamPool::open(UpstreamOrigin origin, TimePoint deadline) {
  const ConnectTarget target = {origin.tls, origin.host, origin.port, origin.proxy};
  const std::shared_ptr<OriginConnections> home = home_of(origin);
  auto stream = co_await connector_.connect(target, deadline);
  if (!stream) co_return stream.error();
  UpstreamConnection connection;
  connection.stream_ = *std::move(stream);
  connection.home_ = home;
  ++home->busy;
  ++home->opened;
  co_return std::move(connection);
}

void UpstreamPool::close_idle() {
  for (auto& [key, home] : homes_) home->idle.clear();
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
