// silent_port.hpp - a port of 127.0.0.1 where SYNs are dropped: a listener whose queue is full and never emptied.
#pragma once

#include <cstdint>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "tests/support/tcp_server.hpp"

namespace akr::test {

class SilentPort {
 public:
  SilentPort() : listener_(listen_on_loopback(0, port_)) {
    // The kernel takes one connection more than the backlog says; the rest of these wait for ever.
    for (int i = 0; i < 4; ++i) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      sockaddr_in address = {};
      address.sin_family = AF_INET;
      address.sin_port = htons(port_);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
      waiting_.push_back(fd);
    }
  }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  ~SilentPort() {
    for (const int fd : waiting_) ::close(fd);
    ::close(listener_);
  }
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::vector<int> waiting_;
};

}  // namespace akr::test
