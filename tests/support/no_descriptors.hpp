// no_descriptors.hpp - takes every file descriptor that this process may still open, for as long as it lives.
#pragma once

#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace akr::test {

class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = kLimit;
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = ::open("/", O_PATH | O_CLOEXEC); fd >= 0; fd = ::open("/", O_PATH | O_CLOEXEC)) taken_.push_back(fd);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() {
    for (int fd : taken_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  static constexpr rlim_t kLimit = 512;
  rlimit before_ = {};
  std::vector<int> taken_;
};

}  // namespace akr::test
