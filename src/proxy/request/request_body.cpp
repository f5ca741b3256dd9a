#include "proxy/request/request_body.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "net/loop/shortage.hpp"

namespace akr {
namespace {

int open_unlinked(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return fd;
  // Some file systems have no O_TMPFILE.
  std::string name = directory + "/akr-body-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

void RequestBody::expect(std::uint64_t length) {
  memory_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(length, kInMemory)));
}

Result<void> RequestBody::append(std::string_view bytes) {
  if (spilled_ == 0) {
    const std::size_t take = std::min(bytes.size(), kInMemory - memory_.size());
    memory_.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
  }
  if (bytes.empty()) return {};
  if (file_ < 0) file_ = open_unlinked(std::string(directory_));
  while (file_ >= 0 && !bytes.empty()) {
    const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(spilled_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    spilled_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (bytes.empty()) return {};
  if (file_ < 0 && net::own_shortage(errno)) return net::shortage_error("the request body could not be kept", errno);
  return Error{ErrorCode::kOverloaded, "the request body could not be kept in " + std::string(directory_) +
                                           " (TMPDIR): " + std::generic_category().message(errno) +
                                           "; make room there, or choose another TMPDIR"};
}

net::Task<Result<void>> RequestBody::append_on_disk(net::Worker& worker, std::string_view bytes) {
  if (disk_ == nullptr) co_return append(bytes);
  auto write = [this, bytes] { return append(bytes); };
  Result<void> written = co_await disk_->run(worker, std::move(write));
  co_return written;
}

void RequestBody::replace(std::string bytes) {
  view_ = {};
  memory_ = std::move(bytes);
}

void RequestBody::rewind() { offset_ = 0; }

net::IoResult RequestBody::next(std::string_view& run) {
  const std::string_view front = view_.empty() ? std::string_view(memory_) : view_;
  if (offset_ < front.size()) {
    run = front.substr(static_cast<std::size_t>(offset_));
    offset_ += run.size();
    return {.bytes = run.size()};
  }
  const std::uint64_t at = offset_ - front.size();
  if (at >= spilled_) return {.status = net::IoStatus::kEof};
  if (!buffer_) buffer_ = net::Buffer::lease(net::Buffer::kLarge);
  const ssize_t got = ::pread(file_, buffer_.data(), buffer_.capacity(), static_cast<off_t>(at));
  if (got <= 0) return {.status = net::IoStatus::kError, .error = EIO};
  offset_ += static_cast<std::uint64_t>(got);
  run = {buffer_.data(), static_cast<std::size_t>(got)};
  return {.bytes = run.size()};
}

void RequestBody::release() {
  view_ = {};
  memory_ = {};
  buffer_.release();
  close_file();
  spilled_ = offset_ = 0;
}

// The last descriptor of a file without a name: the kernel gives all its pages back in this call.
void RequestBody::close_file() {
  constexpr std::uint64_t kLargeFile = 8 << 20;
  const int file = std::exchange(file_, -1);
  if (file < 0) return;
  if (disk_ == nullptr || spilled_ < kLargeFile) {
    ::close(file);
  } else {
    disk_->submit([file] { ::close(file); });
  }
}

}  // namespace akr
