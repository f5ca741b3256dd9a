#include "store/sqlite/file_copy.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

namespace akr {
namespace {

constexpr std::streamoff kHeaderBytes = 100;

bool sync_path(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  if (file < 0) return false;
  const bool synced = ::fsync(file) == 0;
  ::close(file);
  return synced;
}

}  // namespace

bool sync_and_rename(const std::string& from, const std::string& to) {
  if (!sync_path(from, O_RDWR)) return false;
  std::error_code failure;
  std::filesystem::rename(from, to, failure);
  if (failure) return false;
  const std::string directory = std::filesystem::path(to).parent_path().string();
  return sync_path(directory.empty() ? "." : directory, O_RDONLY | O_DIRECTORY);
}

bool same_database(const std::string& a, const std::string& b) {
  std::ifstream first(a, std::ios::binary), second(b, std::ios::binary);
  if (!first || !second) return false;
  first.seekg(kHeaderBytes);
  second.seekg(kHeaderBytes);
  using Bytes = std::istreambuf_iterator<char>;
  return std::equal(Bytes(first), Bytes(), Bytes(second), Bytes());
}

}  // namespace akr
