#include "app/instance_lock.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "app/secret_file.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

namespace fs = std::filesystem;

void go_on_without(const fs::path& file, int error_number) {
  log_warn("not_locked", {{"file", file.string()},
                          {"message", std::string("a second gateway on the same data would not be noticed: ") +
                                          std::strerror(error_number)}});
}

std::string owner_of(int descriptor) {
  std::array<char, 32> text = {};
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), 0);
  const std::string_view number = trim(std::string_view(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0));
  return parse_u64(number) ? " (process " + std::string(number) + ")" : "";
}

// For people only; a full disk is no reason not to start.
void write_owner(int descriptor) {
  const std::string text = std::to_string(::getpid()) + "\n";
  [[maybe_unused]] const int cut = ::ftruncate(descriptor, 0);
  [[maybe_unused]] const ssize_t written = ::pwrite(descriptor, text.data(), text.size(), 0);
}

Error taken(const std::string& setting, const fs::path& guarded, const std::string& owner) {
  return {ErrorCode::kConflict,
          setting + " " + guarded.string() + " is in use by another gateway" + owner +
              "; stop that one first, or give this one another " + setting,
          setting};
}

}  // namespace

InstanceLock::InstanceLock(InstanceLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

InstanceLock& InstanceLock::operator=(InstanceLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

InstanceLock::~InstanceLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<InstanceLock> InstanceLock::take(const fs::path& file, const std::string& setting, const fs::path& guarded) {
  InstanceLock lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.descriptor_ < 0) {
    if (errno != ENOSPC && errno != EDQUOT && errno != EROFS) return cannot_write(file, errno);
    go_on_without(file, errno);
    return lock;
  }
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) {
    write_owner(lock.descriptor_);
    return lock;
  }
  if (errno == EWOULDBLOCK) return taken(setting, guarded, owner_of(lock.descriptor_));
  go_on_without(file, errno);
  return lock;
}

fs::path data_directory_lock(const fs::path& data_directory) { return data_directory / "gateway.lock"; }

fs::path database_lock(const fs::path& database) {
  std::error_code failure;
  const fs::path real = fs::weakly_canonical(database, failure);
  return (failure ? database : real).string() + ".lock";
}

}  // namespace akr
