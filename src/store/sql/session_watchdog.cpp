#include "store/sql/session_watchdog.hpp"

#include <algorithm>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace akr {

SessionWatchdog::~SessionWatchdog() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

SessionWatchdog::Watch::Watch(SessionWatchdog& dog, int socket, Time end) : dog_(dog) {
  if (socket < 0) return;
  const int own = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return;  // no descriptor is left: better an unwatched wait than none
  bool sooner = false;
  try {
    const MutexLock lock(dog_.mutex_);
    if (!dog_.thread_.joinable()) dog_.thread_ = std::thread([&dog] { dog.run(); });
    at_ = dog_.entries_.insert(dog_.entries_.end(), Entry{own, end});
    sooner = end < dog_.next_;
  } catch (...) {
    ::close(own);
    throw;
  }
  socket_ = own;
  if (sooner) dog_.changed_.notify_all();
}

SessionWatchdog::Watch::~Watch() {
  if (socket_ < 0) return;
  {
    const MutexLock lock(dog_.mutex_);
    dog_.entries_.erase(at_);
  }
  ::close(socket_);
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
