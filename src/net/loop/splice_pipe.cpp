#include "net/loop/splice_pipe.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace akr::net {
namespace {

constexpr std::size_t kKeepPipes = 8;
constexpr std::size_t kPipeBytes = 256 * 1024;

struct Ends {
  int read_end;
  int write_end;
};

struct Shelf {
  std::vector<Ends> pipes;
  Shelf() { pipes.reserve(kKeepPipes); }
  ~Shelf() {
    for (const Ends& ends : pipes) {
      ::close(ends.read_end);
      ::close(ends.write_end);
    }
  }
};

Shelf& shelf() {
  thread_local Shelf kept;
  return kept;
}

}  // namespace

SplicePipe SplicePipe::lease() {
  SplicePipe pipe;
  auto& kept = shelf().pipes;
  if (!kept.empty()) {
    pipe.read_end_ = kept.back().read_end;
    pipe.write_end_ = kept.back().write_end;
    kept.pop_back();
    return pipe;
  }
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return pipe;
  ::fcntl(ends[0], F_SETPIPE_SZ, kPipeBytes);  // best effort: the system may allow less
  pipe.read_end_ = ends[0];
  pipe.write_end_ = ends[1];
  return pipe;
}

SplicePipe::~SplicePipe() {
  if (!open()) return;
  auto& kept = shelf().pipes;
  if (held_ == 0 && kept.size() < kKeepPipes) {
    kept.push_back({read_end_, write_end_});
    return;
  }
  ::close(read_end_);
  ::close(write_end_);
}

IoResult SplicePipe::fill(Socket& from, std::size_t most) {
  if ((from.ready() & kRead) == 0 || !from.may_work(kRead)) return {.status = IoStatus::kWouldBlock, .want = kRead};
  for (;;) {
    const ssize_t moved = ::splice(from.fd(), nullptr, write_end_, nullptr, std::min(most, kPipeBytes),
                                   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (moved > 0) {
      held_ = static_cast<std::size_t>(moved);
      from.charge(cost::kOperation + moved);
      return {.bytes = held_};
    }
    if (moved == 0) return {.status = IoStatus::kEof};
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return {.status = IoStatus::kError, .error = errno};
    from.clear_ready(kRead);  // the pipe is empty, so it was the socket that had nothing
    return {.status = IoStatus::kWouldBlock, .want = kRead};
  }
}

IoResult SplicePipe::drain(Socket& to) {
  while (held_ > 0) {
    if ((to.ready() & kWrite) == 0 || !to.may_work(kWrite)) return {.status = IoStatus::kWouldBlock, .want = kWrite};
    const ssize_t moved = ::splice(read_end_, nullptr, to.fd(), nullptr, held_, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (moved > 0) {
      held_ -= static_cast<std::size_t>(moved);
      to.charge(cost::kOperation + moved);
      continue;
    }
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0 && errno == EAGAIN) {
      to.clear_ready(kWrite);
      return {.status = IoStatus::kWouldBlock, .want = kWrite};
    }
    return {.status = IoStatus::kError, .error = moved < 0 ? errno : EPIPE};
  }
  return {};
}

}  // namespace akr::net
