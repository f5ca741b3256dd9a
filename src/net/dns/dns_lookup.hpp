// dns_lookup.hpp - what is known of one name: the two queries for it, who waits for them, and how long it holds.
//
// Shared by the resolver's cache, the coroutines that ask and the queries in flight.  One worker thread.
#pragma once

#include <array>
#include <coroutine>
#include <memory>
#include <string>
#include <vector>

#include "net/dns/dns_channel.hpp"
#include "net/dns/resolver.hpp"
#include "net/loop/socket_address.hpp"

namespace akr::net {

class DnsLookup final : public TimerNode, public std::enable_shared_from_this<DnsLookup> {
 public:
  // Awaits the answer.  TimePoint::max() = no deadline.
  class Asker;
  // A status() beside those of c-ares: we lacked a descriptor or memory to ask.  Not kept for the next asker.
  static constexpr int kShortage = -1;

  DnsLookup(Worker& worker, const ResolverOptions& options) : worker_(worker), options_(options) {}

  // Asks for `name` as it is and, as long as that has no address, for `name` in each of the channel's search domains:
  // the real name comes first, so that a wildcard in a search domain cannot take its place.  REQUIRES: called once;
  // `channel` lives until !in_flight().
  void start(DnsChannel& channel, std::string name);
  bool answered() const { return answered_; }
  bool in_flight() const { return open_queries_ > 0; }
  // REQUIRES: answered().
  TimePoint expires() const { return expires_; }
  int status() const { return status_; }  // of c-ares, or kShortage
  const std::vector<SocketAddress>& addresses() const { return addresses_; }

 private:
  struct Query;
  static void on_answer(void* query, int status, int timeouts, ares_addrinfo* answer);
  void ask();
  bool ask_next();
  void take(std::size_t family, int status, const ares_addrinfo* answer);
  void on_deadline() override { finish(); }
  void finish();
  void give_up() noexcept;

  Worker& worker_;
  const ResolverOptions options_;
  DnsChannel* channel_ = nullptr;
  std::string name_;
  std::size_t next_domain_ = 0;
  std::array<std::vector<SocketAddress>, 2> found_;  // IPv6, IPv4
  std::vector<SocketAddress> addresses_;
  std::vector<Asker*> askers_;
  TimePoint expires_ = TimePoint::max();
  int open_queries_ = 0;
  int status_ = 0;
  bool answered_ = false;
};

class DnsLookup::Asker final : public TimerNode {
 public:
  Asker(std::shared_ptr<DnsLookup> lookup, TimePoint deadline) : lookup_(std::move(lookup)), deadline_(deadline) {}
  ~Asker();
  bool await_ready() const { return lookup_->answered_; }
  void await_suspend(std::coroutine_handle<> handle);
  WaitEnd await_resume() const { return end_; }

 private:
  friend class DnsLookup;
  void on_deadline() override;
  void on_stop() override;
  const std::shared_ptr<DnsLookup> lookup_;
  const TimePoint deadline_;
  std::coroutine_handle<> handle_ = nullptr;
  WaitEnd end_ = WaitEnd::kReady;
};

}  // namespace akr::net
