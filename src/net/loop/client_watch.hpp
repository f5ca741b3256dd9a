// client_watch.hpp - has the client left while we wait for somebody else?
//
// A reset is seen at once.  A FIN alone may also be a client that only closed its sending side and still reads: it gets
// a quarter of a second of grace for its answer, then counts as gone (D13: the upstream is closed within 1 s).
#pragma once

#include "net/loop/socket.hpp"
#include "net/loop/worker.hpp"

namespace akr::net {

class ClientWatch {
 public:
  explicit ClientWatch(Socket& socket) : socket_(socket) {}

  Socket& socket() { return socket_; }
  // What to wait for beside one's own business.
  Watch watch() { return socket_.hung_up() ? Watch{} : Watch{&socket_, kHangup}; }
  // A deadline that also ends the grace.
  TimePoint until(TimePoint deadline) const { return gone_at_ < deadline ? gone_at_ : deadline; }
  // Call after each wait.
  bool gone() {
    if (!socket_.open() || socket_.dead()) return true;
    if (!socket_.hung_up()) return false;
    const TimePoint now = socket_.worker().now();
    if (gone_at_ == TimePoint::max()) gone_at_ = now + kGrace;
    return now >= gone_at_;
  }

 private:
  static constexpr std::chrono::milliseconds kGrace{250};
  Socket& socket_;
  TimePoint gone_at_ = TimePoint::max();
};

}  // namespace akr::net
