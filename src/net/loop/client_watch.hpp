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
  // A deadline that also ends the grace.  One who had left before the wait began raises no event any more: only this
  // ends it.
  TimePoint until(TimePoint deadline) {
    look();
    return gone_at_ < deadline ? gone_at_ : deadline;
  }
  // Call after each wait.
  bool gone() {
    look();
    return socket_.worker().now() >= gone_at_;
  }

 private:
  static constexpr std::chrono::milliseconds kGrace{250};
  void look() {
    const TimePoint now = socket_.worker().now();
    if (!socket_.open() || socket_.dead()) gone_at_ = now < gone_at_ ? now : gone_at_;
    if (gone_at_ == TimePoint::max() && socket_.hung_up()) gone_at_ = now + kGrace;
  }
  Socket& socket_;
  TimePoint gone_at_ = TimePoint::max();
};

}  // namespace akr::net
