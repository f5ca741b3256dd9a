// instance_lock.hpp - one gateway per data directory and per database.
//
// A lock file (0600) that is never removed and holds the number of the process for whoever meets it.  The kernel takes
// the lock back when the process ends, however it ends.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace akr {

class InstanceLock {
 public:
  InstanceLock() = default;
  InstanceLock(InstanceLock&& other) noexcept;
  InstanceLock& operator=(InstanceLock&& other) noexcept;
  ~InstanceLock();

  // Locks `file`, which guards what `setting` names.  kConflict: another process has it; the message names setting,
  // process and remedy.  kStoreUnavailable: the file cannot be made.  Where there is no room for it, or where the file
  // system knows no locks, that is logged, and there is none.  Does not wait.
  static Result<InstanceLock> take(const std::filesystem::path& file, const std::string& setting,
                                   const std::filesystem::path& guarded);

 private:
  explicit InstanceLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

// The lock file of a data directory, and of a database under whatever name it is reached.
std::filesystem::path data_directory_lock(const std::filesystem::path& data_directory);
std::filesystem::path database_lock(const std::filesystem::path& database);

}  // namespace akr
