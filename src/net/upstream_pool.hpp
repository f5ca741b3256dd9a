// upstream_pool.hpp - one worker's connections to upstreams: idle ones by origin and proxy, and leases of busy ones.
//
// A lease gives its connection back only if mark_reusable() was called; else the destructor closes it.  An idle
// connection on which anything happens (bytes nobody asked for, FIN, RST) is closed at once, so that neither a stale
// socket nor a second answer can meet the next request (D39; reliability.md r.B).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "net/connector.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

namespace akr::net {

struct UpstreamLimits {
  std::chrono::milliseconds idle_timeout{30'000};
  std::size_t max_idle_per_origin = 1024;
};

// Where a request goes.  The strings live as long as the request.
struct UpstreamOrigin {
  bool tls = false;
  std::string_view host;
  std::uint16_t port = 0;
  const EgressProxy* proxy = nullptr;   // nullptr = direct
  std::string_view proxy_key = {};      // the proxy's URL: connections through different proxies are not mixed
};

struct PoolGauges {
  std::size_t idle = 0;
  std::size_t busy = 0;
  std::uint64_t opened = 0;
  std::uint64_t reused = 0;
};

class UpstreamPool;
struct OriginConnections;

class UpstreamConnection {
 public:
  UpstreamConnection() = default;
  UpstreamConnection(UpstreamConnection&& other) noexcept;
  UpstreamConnection& operator=(UpstreamConnection&& other) noexcept;
  ~UpstreamConnection() { release(); }

  explicit operator bool() const { return stream_ != nullptr; }
  Stream& stream() { return *stream_; }
  bool reused() const { return reused_; }
  std::chrono::nanoseconds idle_for() const { return idle_for_; }
  // Bytes written to the stream in its life; with TCP's own count it tells whether the peer got the last request.
  std::uint64_t sent() const { return sent_; }
  void note_sent(std::size_t bytes) { sent_ += bytes; }
  // The answer was complete and nothing followed it.
  void mark_reusable() { reusable_ = !spoiled_; }
  // Whatever comes, this connection must not meet another request.
  void forbid_reuse() {
    spoiled_ = true;
    reusable_ = false;
  }
  void release();

 private:
  friend class UpstreamPool;
  std::unique_ptr<Stream> stream_;
  std::shared_ptr<OriginConnections> home_;
  bool reused_ = false;
  bool reusable_ = false;
  bool spoiled_ = false;
  std::chrono::nanoseconds idle_for_{0};
  std::uint64_t sent_ = 0;
};

class UpstreamPool {
 public:
  UpstreamPool(Worker& worker, Connector& connector, UpstreamLimits limits);
  ~UpstreamPool();

  // An idle connection if there is one; never waits.
  bool take_idle(const UpstreamOrigin& origin, UpstreamConnection& connection);
  // A new connection; errors as Connector::connect.
  Task<Result<UpstreamConnection>> open(UpstreamOrigin origin, TimePoint deadline);
  void close_idle();
  PoolGauges gauges() const;

 private:
  std::shared_ptr<OriginConnections> home_of(const UpstreamOrigin& origin);
  Worker& worker_;
  Connector& connector_;
  UpstreamLimits limits_;
  std::unordered_map<std::string, std::shared_ptr<OriginConnections>> homes_;
};

}  // namespace akr::net
