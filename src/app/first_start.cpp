#include "app/first_start.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/secret_file.hpp"
#include "base/log.hpp"
#include "base/log_writer.hpp"
#include "base/strings.hpp"
#include "config/key32.hpp"

namespace akr {
namespace {

constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kPasswordCharacters = 24;
constexpr std::size_t kLeastSigningBytes = 32;
constexpr mode_t kOwnerOnlyDirectory = 0700;
constexpr std::chrono::seconds kTerminalPatience{10};

// No characters that look alike or that a shell would take apart: people copy this one by hand.  57^24 is 139 bits.
constexpr std::string_view kPasswordAlphabet = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

Secret random_hex() {
  std::string bytes(kRandomBytes, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  std::string hex = to_hex(bytes);
  Secret secret(hex);
  wipe(bytes);
  wipe(hex);
  return secret;
}

Secret random_password() {
  std::string text;
  text.reserve(kPasswordCharacters);
  for (std::size_t i = 0; i < kPasswordCharacters; ++i) {
    text += kPasswordAlphabet[randombytes_uniform(static_cast<std::uint32_t>(kPasswordAlphabet.size()))];
  }
  Secret password(text);
  wipe(text);
  return password;
}

// Guessing 139 random bits is hopeless whatever one guess costs, so the first start need not wait for libsodium's
// "interactive" 64 MiB.
constexpr unsigned long long kHashPasses = 2;
constexpr std::size_t kHashMemory = 19U << 20;

Result<Secret> hash_password(const Secret& password) {
  std::array<char, crypto_pwhash_STRBYTES> hash = {};
  if (crypto_pwhash_str(hash.data(), password.expose().data(), password.size(), kHashPasses, kHashMemory) != 0) {
    return Error{.code = ErrorCode::kStoreUnavailable,
                 .message = "no memory (19 MiB) to hash the administrator's password; set ADMIN_PASSWORD"};
  }
  return Secret(hash.data());
}

// Makes the missing part of the path; what we make is ours alone.
Result<void> ensure_directory(const std::filesystem::path& directory) {
  std::error_code failure;
  if (!std::filesystem::is_directory(directory, failure)) {
    if (const std::filesystem::path parent = directory.parent_path(); !parent.empty()) {
      if (auto made = ensure_directory(parent); !made) return made;
    }
    if (::mkdir(directory.c_str(), kOwnerOnlyDirectory) != 0 && errno != EEXIST) return cannot_write(directory, errno);
  }
  if (!std::filesystem::is_directory(directory, failure)) return cannot_write(directory, ENOTDIR);
  return {};
}

Error unusable(const std::filesystem::path& path, std::string_view expected) {
  return Error{.code = ErrorCode::kInvalid,
               .message = path.string() + " is not usable: expected " + std::string(expected) +
                          "; restore it from a backup, or remove it if nothing depends on it",
               .field = path.filename().string()};
}

Result<Secret> load_file(const std::filesystem::path& path, const std::function<Result<Secret>()>& make,
                         FirstStart& into) {
  auto file = load_or_create(path, make);
  if (!file) return file.error();
  if (file->readable_by_others) {
    // Where it is not ours to change (a mounted secret), only people can.
    const bool closed = ::chmod(path.c_str(), S_IRUSR | S_IWUSR) == 0;
    into.warnings.push_back(path.string() + (closed ? " could be read by other users; it was made private (chmod 600)"
                                                    : " may be read by other users; chmod 600 it"));
  }
  return std::move(file->content);
}

Error no_randomness() { return {ErrorCode::kInternal, "libsodium cannot start: no randomness"}; }

Result<void> load_session_secret(const FirstStartInput& input, FirstStart& into) {
  if (!input.jwt_secret.empty()) {
    into.jwt_secret = input.jwt_secret;
    return {};
  }
  const auto path = input.data_directory / "jwt_secret";
  auto secret = load_file(path, random_hex, into);
  if (!secret) return secret.error();
  if (secret->size() < kLeastSigningBytes) return unusable(path, "at least 32 bytes");
  into.jwt_secret = *std::move(secret);
  return {};
}

Result<void> load_encryption_key(const FirstStartInput& input, FirstStart& into) {
  const auto path = input.data_directory / "encryption_key";
  Secret written = input.encryption_key;
  if (written.empty()) {
    auto loaded = load_file(path, random_hex, into);
    if (!loaded) return loaded.error();
    written = *std::move(loaded);
  }
  auto key = decode_key32(written);
  if (!key) return unusable(path, "32 bytes as hex or base64");
  into.encryption_key = *std::move(key);
  return {};
}

Result<void> load_admin_password(const FirstStartInput& input, FirstStart& into) {
  if (!input.admin_password.empty()) {
    into.admin_password = input.admin_password;
    return {};
  }
  const auto path = input.data_directory / "admin_password.hash";
  Secret password;
  auto file = load_or_create(path, [&] {
    password = random_password();
    return hash_password(password);
  });
  if (!file) return file.error();
  // Whoever lost the race made a password too, but nobody can log in with it.
  if (file->created) into.generated_password = std::move(password);
  if (!file->content.expose().starts_with(crypto_pwhash_STRPREFIX)) return unusable(path, "an Argon2id hash");
  into.admin_password_hash = file->content.expose();
  return {};
}

}  // namespace

Result<void> ensure_writable(const std::filesystem::path& directory, std::string_view setting) {
  // Whole, since it is read where nobody knows our working directory: in the log of a container.
  const std::filesystem::path named = std::filesystem::absolute(directory.empty() ? "." : directory);
  auto ready = ensure_directory(named);
  if (ready && ::access(named.c_str(), W_OK | X_OK) != 0) ready = cannot_write(named, errno);
  if (ready) return {};
  Error error = ready.error();
  error.message += "; make it writable for that user (chown " + std::to_string(::geteuid()) +
                   ", outside of a container on the folder that is mounted there), or set " + std::string(setting);
  return error;
}

Result<void> prepare_directories(const FirstStartInput& input) {
  if (auto ready = ensure_writable(input.data_directory, "DATA_DIR"); !ready) return ready;
  if (input.database_directory.empty()) return {};
  return ensure_writable(input.database_directory, "DATABASE_PATH");
}

Result<FirstStart> prepare_first_start(const FirstStartInput& input) {
  if (sodium_init() < 0) return no_randomness();
  if (auto ready = prepare_directories(input); !ready) return ready.error();
  FirstStart start;
  if (auto loaded = load_session_secret(input, start); !loaded) return loaded.error();
  if (auto loaded = load_encryption_key(input, start); !loaded) return loaded.error();
  if (auto loaded = load_admin_password(input, start); !loaded) return loaded.error();
  return start;
}

Result<FirstStart> prepare_encryption_key(const FirstStartInput& input) {
  if (sodium_init() < 0) return no_randomness();
  if (auto ready = ensure_writable(input.data_directory, "DATA_DIR"); !ready) return ready.error();
  FirstStart start;
  if (auto loaded = load_encryption_key(input, start); !loaded) return loaded.error();
  return start;
}

void tell_first_start(const FirstStart& start, const std::string& admin_username) {
  for (const std::string& warning : start.warnings) log_warn("first_start", {{"message", warning}});
  if (start.generated_password.empty()) return;
  std::string shown = "\n  Administrator: " + admin_username + "\n  Password:      ";
  shown.append(start.generated_password.expose());
  shown += "\n  (shown once; set ADMIN_PASSWORD to choose your own)\n\n";
  write_patiently(STDERR_FILENO, shown, kTerminalPatience);
  wipe(shown);
}

}  // namespace akr
