#include "store/sql/session_watchdog.hpp"

#include <algorithm>

#include <sys/socket.h>

namespace akr {

SessionWatchdog::~SessionWatchdog() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

SessionWatchdog::Watch::Watch(SessionWatchdog& dog, int socket, Time end) : dog_(dog), watched_(socket >= 0) {
  if (!watched_) return;
  bool sooner = false;
  {
    const MutexLock lock(dog_.mutex_);
    sooner = end < dog_.next_;
    at_ = dog_.entries_.insert(dog_.entries_.end(), Entry{socket, end});
    if (!dog_.thread_.joinable()) dog_.thread_ = std::thread([&dog] { dog.run(); });
  }
  if (sooner) dog_.changed_.notify_all();
}

SessionWatchdog::Watch::~Watch() {
  if (!watched_) return;
  const MutexLock lock(dog_.mutex_);
  dog_.entries_.erase(at_);
}

void SessionWatchdog::run() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const Time now = std::chrono::steady_clock::now();
    next_ = Time::max();
    for (Watch::Entry& entry : entries_) {
      if (entry.end <= now) {
        ::shutdown(entry.socket, SHUT_RDWR);
        entry.end = Time::max();
      }
      next_ = std::min(next_, entry.end);
    }
    if (next_ == Time::max()) {
      changed_.wait(mutex_);
    } else {
      changed_.wait_until(mutex_, next_);
    }
  }
}

}  // namespace akr
