#include "net/loop/shortage.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop/worker.hpp"

namespace akr::net {
namespace {

constexpr int kMostGivenUp = 4;  // each frees one descriptor; what is still refused then is not ours to mend

template <class Open>
int open_or_make_room(Worker& worker, Open open) {
  for (int given_up = 0;; ++given_up) {
    const int fd = open();
    const int error = errno;
    const bool full = fd < 0 && (error == EMFILE || error == ENFILE);
    if (full && given_up < kMostGivenUp && worker.make_room()) continue;
    errno = error;
    return fd;
  }
}

}  // namespace

bool own_shortage(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

Error shortage_error(const std::string& what, int error) {
  return Error{
      .code = ErrorCode::kOverloaded,
      .message = "the gateway itself is short of resources: " + what + ": " + std::generic_category().message(error),
      .retry_after = 1};
}

int open_socket(Worker& worker, int family, int type) {
  return open_or_make_room(worker, [=] { return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); });
}

bool descriptor_left(Worker& worker) {
  const int fd = open_or_make_room(worker, [] { return ::open("/", O_PATH | O_CLOEXEC); });
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

}  // namespace akr::net
