#include "app/secret_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace akr {
namespace {

constexpr mode_t kOwnerOnly = 0600;
constexpr std::size_t kLargestSecret = 4096;

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

Error failure(std::string_view what, const std::filesystem::path& path, int error_number) {
  return Error{.code = ErrorCode::kStoreUnavailable,
               .message = "cannot " + std::string(what) + " " + path.string() + " as user id " +
                          std::to_string(::geteuid()) + ": " + std::strerror(error_number)};
}

// nullopt: there is no such file.
Result<std::optional<SecretFile>> read_existing(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT) return std::optional<SecretFile>();
    return failure("read", path, errno);
  }
  struct stat facts = {};
  if (::fstat(file.get(), &facts) != 0) return failure("read", path, errno);
  std::string text(kLargestSecret, '\0');
  const ssize_t count = ::read(file.get(), text.data(), text.size());
  if (count < 0) return failure("read", path, errno);
  text.resize(static_cast<std::size_t>(count));
  const std::string_view all = text;
  SecretFile found{.content = Secret(all.substr(0, all.find_last_not_of("\r\n") + 1)),
                   .readable_by_others = (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0};
  wipe(text);
  return std::optional(std::move(found));
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// Gives `written` the name `path` unless that exists.  link() where the file system knows it, else a rename that does
// not replace.  0 or an error number.
int publish(const std::string& written, const std::filesystem::path& path) {
  if (::link(written.c_str(), path.c_str()) == 0) return 0;
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return errno;
  if (::renameat2(AT_FDCWD, written.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return 0;
  return errno;
}

// true: created; false: another process was faster.
Result<bool> create(const std::filesystem::path& path, const Secret& content) {
  std::string written = path.string() + ".XXXXXX";
  const Descriptor file(::mkostemp(written.data(), O_CLOEXEC));
  if (!file.is_open()) return failure("write", path, errno);
  int error_number = 0;
  if (::fchmod(file.get(), kOwnerOnly) != 0 || !write_all(file.get(), content.expose()) ||
      !write_all(file.get(), "\n") || ::fsync(file.get()) != 0) {
    error_number = errno;
  } else {
    error_number = publish(written, path);
  }
  ::unlink(written.c_str());
  if (error_number == EEXIST) return false;
  if (error_number != 0) return failure("write", path, error_number);
  const Descriptor directory(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open() || ::fsync(directory.get()) != 0) return failure("write", path, errno);
  return true;
}

}  // namespace

Error cannot_write(const std::filesystem::path& path, int error_number) { return failure("write", path, error_number); }

Result<SecretFile> load_or_create(const std::filesystem::path& path, const std::function<Result<Secret>()>& make) {
  auto found = read_existing(path);
  if (!found) return found.error();
  if (std::optional<SecretFile> existing = *std::move(found)) return *std::move(existing);
  auto content = make();
  if (!content) return content.error();
  const auto created = create(path, *content);
  if (!created) return created.error();
  if (*created) return SecretFile{.content = *std::move(content), .created = true};
  auto winner = read_existing(path);
  if (!winner) return winner.error();
  if (std::optional<SecretFile> existing = *std::move(winner)) return *std::move(existing);
  return failure("read", path, ENOENT);
}

}  // namespace akr
