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
#include "net/client/connector.hpp"
#include "net/loop/stream.hpp"
#include "net/loop/task.hpp"

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
  const EgressProxy* proxy = nullptr;  // nullptr = direct
  std::string_view proxy_key = {};     // the proxy's URL: connections through different proxies are not mixed
};

struct PoolGauges {
  std::size_t idle = 0;
  std::size_t busy = 0;
  std::uint64_t opened = 0;
  std::uint64_t reused = 0;
};

class UpstreamPool;
struct OriginConnections;
class PooledConnection;

class UpstreamConnection {
 public:
  UpstreamConnection();
  UpstreamConnection(UpstreamConnection&& other) noexcept;
  UpstreamConnection& operator=(UpstreamConnection&& other) noexcept;
  ~UpstreamConnection();

  explicit operator bool() const { return connection_ != nullptr; }
  Stream& stream();
  // It served another request before.
  bool reused() const;
  // Bytes written to the stream in its life; with TCP's own count it tells whether the peer got the last request.
  std::uint64_t sent() const;
  void note_sent(std::size_t bytes);
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
  std::unique_ptr<PooledConnection> connection_;
  bool reusable_ = false;
  bool spoiled_ = false;
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
  // Descriptors ran out: closes the connection that has been idle longest at some origin.  False: none is idle.
  bool close_one_idle();
  PoolGauges gauges() const;

 private:
  struct Key {
    bool tls;
    std::uint16_t port;
    std::string host;
    std::string proxy_key;
  };
  // Finds by what a request has at hand, without making a Key.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Key& key) const { return mix(key.tls, key.port, key.host, key.proxy_key); }
    std::size_t operator()(const UpstreamOrigin& o) const { return mix(o.tls, o.port, o.host, o.proxy_key); }
    static std::size_t mix(bool tls, std::uint16_t port, std::string_view host, std::string_view proxy_key);
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.tls == b.tls && a.port == b.port && a.host == b.host && a.proxy_key == b.proxy_key;
    }
  };
  std::shared_ptr<OriginConnections> home_of(const UpstreamOrigin& origin);

  Worker& worker_;
  Connector& connector_;
  UpstreamLimits limits_;
  std::unordered_map<Key, std::shared_ptr<OriginConnections>, Hash, Equal> homes_;
};

}  // namespace akr::net
