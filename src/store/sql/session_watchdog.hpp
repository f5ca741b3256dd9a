// session_watchdog.hpp - ends waits for a database server that does not answer.
//
// The client libraries wait for an answer as long as it takes.  A session is watched while it is used; when its time is
// up, its socket is shut down, and whoever waits for it gets the error of a lost connection.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <thread>

#include "base/mutex.hpp"

namespace akr {

// Any thread.  Its own thread exists from the first watch on.
class SessionWatchdog {
 public:
  using Time = std::chrono::steady_clock::time_point;

  SessionWatchdog() = default;
  ~SessionWatchdog();
  SessionWatchdog(const SessionWatchdog&) = delete;
  SessionWatchdog& operator=(const SessionWatchdog&) = delete;

  // While it lives, the socket is shut down at `end`.  It has a descriptor of its own for that: client libraries close
  // theirs whenever they like, and its number may be somebody else's at once.  -1: nothing is watched.
  class Watch {
   public:
    Watch(SessionWatchdog& dog, int socket, Time end);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    struct Entry;
    friend class SessionWatchdog;
    SessionWatchdog& dog_;
    std::list<Entry>::iterator at_;
    int socket_ = -1;
  };

 private:
  void run();

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::list<Watch::Entry> entries_ GUARDED_BY(mutex_);
  Time next_ GUARDED_BY(mutex_) = Time::max();  // when the thread looks again
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // made under mutex_, joined by the destructor
};

struct SessionWatchdog::Watch::Entry {
  int socket;
  Time end;
};

}  // namespace akr
