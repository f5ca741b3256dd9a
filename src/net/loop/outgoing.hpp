// outgoing.hpp - pieces of memory that leave in one gathered write, and how far they got.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include <sys/uio.h>

#include "net/loop/stream.hpp"

namespace akr::net {

class Outgoing {
 public:
  static constexpr int kMaxParts = 32;

  // False if there is no room for another piece.
  bool add(std::string_view bytes) {
    if (bytes.empty()) return true;
    if (count_ == kMaxParts) return false;
    parts_[static_cast<std::size_t>(count_++)] = {const_cast<char*>(bytes.data()), bytes.size()};  // NOLINT
    left_ += bytes.size();
    return true;
  }
  // Moves what is left into `text`, so that the pieces' memory may go.
  void hold(std::string& text) {
    std::string rest;
    rest.reserve(left_);
    for (int i = first_; i < count_; ++i) {
      const iovec& part = parts_[static_cast<std::size_t>(i)];
      rest.append(static_cast<const char*>(part.iov_base), part.iov_len);
    }
    text = std::move(rest);
    count_ = first_ = 0;
    left_ = 0;
    add(text);
  }
  int room() const { return kMaxParts - count_; }
  std::size_t left() const { return left_; }

  // Writes what the stream takes now.  kOk also when bytes are left; look at left().
  IoResult try_send(Stream& stream) {
    while (left_ > 0) {
      const IoResult result = stream.try_write(parts_.data() + first_, count_ - first_);
      if (result.status != IoStatus::kOk) return result;
      advance(result.bytes);
    }
    count_ = first_ = 0;
    return {};
  }

 private:
  void advance(std::size_t bytes) {
    left_ -= bytes;
    while (bytes > 0) {
      iovec& part = parts_[static_cast<std::size_t>(first_)];
      const std::size_t take = bytes < part.iov_len ? bytes : part.iov_len;
      part.iov_base = static_cast<char*>(part.iov_base) + take;
      part.iov_len -= take;
      bytes -= take;
      if (part.iov_len == 0) ++first_;
    }
  }

  std::array<iovec, kMaxParts> parts_;
  int count_ = 0;
  int first_ = 0;
  std::size_t left_ = 0;
};

}  // namespace akr::net
