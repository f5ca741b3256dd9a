// splice_pipe.hpp - moves bytes from one TCP socket to another inside the kernel (splice(2)), for long bodies whose
// bytes nobody needs to see.  Holds no memory of ours; the pipe bounds what is under way (256 KiB).
#pragma once

#include <cstddef>
#include <utility>

#include "net/loop/socket.hpp"

namespace akr::net {

class SplicePipe {
 public:
  SplicePipe() = default;
  // Not open() afterwards if descriptors ran out: copy instead.
  static SplicePipe lease();
  SplicePipe(SplicePipe&& other) noexcept
      : read_end_(std::exchange(other.read_end_, -1)),
        write_end_(std::exchange(other.write_end_, -1)),
        held_(std::exchange(other.held_, 0)) {}
  SplicePipe& operator=(SplicePipe&& other) noexcept {
    std::swap(read_end_, other.read_end_);
    std::swap(write_end_, other.write_end_);
    std::swap(held_, other.held_);
    return *this;
  }
  ~SplicePipe();  // an empty pipe is kept for the thread's next long body

  bool open() const { return read_end_ >= 0; }
  std::size_t held() const { return held_; }
  // REQUIRES: held() == 0.  Takes up to `most` bytes from a plain socket.
  IoResult fill(Socket& from, std::size_t most);
  // Gives what is held to a plain socket, as far as it takes it.
  IoResult drain(Socket& to);

 private:
  int read_end_ = -1;
  int write_end_ = -1;
  std::size_t held_ = 0;
};

}  // namespace akr::net
