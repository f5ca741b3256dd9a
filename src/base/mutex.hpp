// mutex.hpp - std::mutex that Clang's thread-safety analysis understands.
#pragma once

#include <mutex>

#define AKR_TSA(x) __attribute__((x))
#define CAPABILITY(x) AKR_TSA(capability(x))
#define SCOPED_CAPABILITY AKR_TSA(scoped_lockable)
#define GUARDED_BY(x) AKR_TSA(guarded_by(x))
#define REQUIRES_LOCK(...) AKR_TSA(requires_capability(__VA_ARGS__))
#define EXCLUDES_LOCK(...) AKR_TSA(locks_excluded(__VA_ARGS__))

namespace akr {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() AKR_TSA(acquire_capability()) { mutex_.lock(); }
  void unlock() AKR_TSA(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) AKR_TSA(acquire_capability(mutex)) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() AKR_TSA(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace akr
