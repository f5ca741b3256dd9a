#include "net/dns/dns_channel.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/loop/shortage.hpp"
#include "net/loop/worker.hpp"

namespace akr::net {
namespace {

constexpr int kRounds = 64;  // of one turn, so that a flood of answers cannot hold the loop

int make_epoll() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll for DNS");
  return fd;
}

void require(int status, const char* what) {
  if (status != ARES_SUCCESS) throw std::runtime_error(std::string(what) + ": " + ares_strerror(status));
}

}  // namespace

DnsChannel::DnsChannel(Worker& worker, const DnsServers& servers) : worker_(worker), inner_(worker, make_epoll()) {
  static const int kLibrary = ares_library_init(ARES_LIB_INIT_ALL);
  require(kLibrary, "c-ares");
  ares_options options = {};
  options.timeout = static_cast<int>(servers.first_wait.count());
  options.tries = servers.rounds;
  // The search list is walked in dns_lookup.cpp, for both families together.
  options.flags = ARES_FLAG_NOSEARCH;
  options.ndots = 0;
  char lookups[] = "fb";  // files, then DNS, whatever nsswitch.conf says
  options.lookups = lookups;
  options.sock_state_cb = &DnsChannel::on_descriptor;
  options.sock_state_cb_data = this;
  require(ares_init_options(&channel_, &options,
                            ARES_OPT_FLAGS | ARES_OPT_NDOTS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                                ARES_OPT_SOCK_STATE_CB),
          "c-ares");
  ares_set_socket_functions(channel_, socket_functions(), this);
  if (servers.list.empty()) {
    read_search_domains();
  } else {
    search_ = servers.search;
    const int status = ares_set_servers_ports_csv(channel_, servers.list.c_str());
    if (status != ARES_SUCCESS) ares_destroy(channel_);
    require(status, "DNS servers");
  }
  wait();
}

DnsChannel::~DnsChannel() {
  cancelled_ = true;  // what a callback asks for now ends at once
  detach();
  ares_destroy(channel_);
}

// The system's own, but for the first: c-ares tells "no descriptor" as "connection refused".
const ares_socket_functions* DnsChannel::socket_functions() {
  static constexpr ares_socket_functions kFunctions = {
      .asocket = [](int family, int type, int, void* self) -> ares_socket_t {
        auto& channel = *static_cast<DnsChannel*>(self);
        const int fd = open_socket(channel.worker_, family, type);
        channel.short_of_sockets_ = fd < 0 && own_shortage(errno);
        return fd;
      },
      .aclose = [](ares_socket_t fd, void*) { return ::close(fd); },
      .aconnect = [](ares_socket_t fd, const sockaddr* to, ares_socklen_t size,
                     void*) { return ::connect(fd, to, size); },
      .arecvfrom = [](ares_socket_t fd, void* data, size_t size, int flags, sockaddr* from, ares_socklen_t* from_size,
                      void*) -> ares_ssize_t { return ::recvfrom(fd, data, size, flags, from, from_size); },
      .asendv = [](ares_socket_t fd, const iovec* parts, int count, void*) -> ares_ssize_t {
        return ::writev(fd, parts, count);
      }};
  return &kFunctions;
}

void DnsChannel::read_search_domains() {
  ares_options found = {};
  int mask = 0;
  if (ares_save_options(channel_, &found, &mask) == ARES_SUCCESS && (mask & ARES_OPT_DOMAINS) != 0) {
    for (int i = 0; i < found.ndomains; ++i) search_.emplace_back(found.domains[i]);
  }
  ares_destroy_options(&found);
}

void DnsChannel::query(const std::string& name, int family, ares_addrinfo_callback callback, void* argument) {
  if (cancelled_) {
    callback(argument, ARES_ECANCELLED, 0, nullptr);
    return;
  }
  ares_addrinfo_hints hints = {};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  // No sorting: it opens a socket per address.  An unroutable family fails at once when it is connected to.
  hints.ai_flags = ARES_AI_NOSORT | ARES_AI_ENVHOSTS;
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, callback, argument);
  wait();
}

void DnsChannel::on_descriptor(void* self, ares_socket_t fd, int readable, int writable) {
  const int inner = static_cast<DnsChannel*>(self)->inner_.fd();
  epoll_event event = {
      .events = (readable != 0 ? std::uint32_t{EPOLLIN} : 0U) | (writable != 0 ? std::uint32_t{EPOLLOUT} : 0U),
      .data = {.fd = fd}};
  if (event.events == 0) {
    ::epoll_ctl(inner, EPOLL_CTL_DEL, fd, nullptr);
  } else if (::epoll_ctl(inner, EPOLL_CTL_MOD, fd, &event) != 0) {
    ::epoll_ctl(inner, EPOLL_CTL_ADD, fd, &event);
  }
}

void DnsChannel::on_fire(WaitEnd end) {
  if (end == WaitEnd::kCancelled) {
    cancelled_ = true;
    ares_cancel(channel_);
    return;
  }
  const bool drained = process();
  wait();
  if (!drained) worker_.timers().arm(*this, worker_.now());
}

bool DnsChannel::process() {
  bool drained = false;
  std::array<epoll_event, 16> events = {};
  for (int round = 0; round < kRounds && !drained; ++round) {
    const int count = ::epoll_wait(inner_.fd(), events.data(), static_cast<int>(events.size()), 0);
    drained = count <= 0;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
      const bool readable = broken || (event.events & EPOLLIN) != 0;
      const bool writable = broken || (event.events & EPOLLOUT) != 0;
      ares_process_fd(channel_, readable ? event.data.fd : ARES_SOCKET_BAD, writable ? event.data.fd : ARES_SOCKET_BAD);
    }
  }
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // the queries that are overdue
  return drained;
}

void DnsChannel::wait() {
  detach();
  watch(inner_, kRead);
  timeval left = {};
  if (ares_timeout(channel_, nullptr, &left) == nullptr) return;
  const auto pause = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
  worker_.timers().arm(*this, std::chrono::steady_clock::now() + pause);
}

}  // namespace akr::net
