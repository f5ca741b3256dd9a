// dns_channel.hpp - c-ares driven by the worker's loop.
//
// c-ares opens and closes descriptors of its own and wants level-triggered readiness.  They live in an inner epoll
// set, which is the one (edge-triggered) Socket the worker sees.  One worker thread.
#pragma once

#include <string>
#include <vector>

#include <ares.h>

#include "net/loop/socket.hpp"
#include "net/loop/worker.hpp"

namespace akr::net {

struct DnsServers {
  std::string list;                 // "192.0.2.1:53,[2001:db8::1]:53"; "" = those of /etc/resolv.conf
  std::vector<std::string> search;  // domains that short names may lie in, with `list`; else those of resolv.conf
  std::chrono::milliseconds first_wait{1500};  // for one server's answer; doubles with each round
  int rounds = 3;
};

class DnsChannel final : private Waiter {
 public:
  // Reads /etc/resolv.conf.  Throws std::runtime_error if c-ares cannot start.
  DnsChannel(Worker& worker, const DnsServers& servers);
  ~DnsChannel();  // ends every query with ARES_EDESTRUCTION

  const std::vector<std::string>& search_domains() const { return search_; }

  // `name` as it is: /etc/hosts first, then DNS.  `callback` is called once, maybe before this returns; REQUIRES: it
  // does not destroy the channel.  After the worker's stop every query ends with ARES_ECANCELLED.
  void query(const std::string& name, int family, ares_addrinfo_callback callback, void* argument);
  // The last socket that c-ares wanted could not be opened for want of descriptors or memory: what fails now is ours.
  bool short_of_sockets() const { return short_of_sockets_; }

 private:
  void read_search_domains();
  static const ares_socket_functions* socket_functions();
  static void on_descriptor(void* self, ares_socket_t fd, int readable, int writable);
  void on_fire(WaitEnd end) override;
  bool process();  // false: there is more
  void wait();

  Worker& worker_;
  Socket inner_;  // the inner epoll set
  ares_channel channel_ = nullptr;
  std::vector<std::string> search_;
  bool cancelled_ = false;
  bool short_of_sockets_ = false;
};

}  // namespace akr::net
