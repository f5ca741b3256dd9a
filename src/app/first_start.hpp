// first_start.hpp - makes the data directory and what is missing in it: the session secret, the encryption key and the
// administrator's password.
//
//   DATA_DIR/jwt_secret            32 random bytes as hex
//   DATA_DIR/encryption_key        32 random bytes as hex; without it the stored keys cannot be read
//   DATA_DIR/admin_password.hash   Argon2id, libsodium's text form; the password itself is never stored
//
// All 0600 (also those that others could read: their mode is changed, and that is a warning), complete or absent:
// written aside, flushed, then linked into place.  Of two processes that start at once the first to link wins and the
// other takes what it finds.  Blocking; call it before the workers start.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace akr {

// Values of the settings of the same names; empty = unset.
struct FirstStartInput {
  std::filesystem::path data_directory;
  std::filesystem::path database_directory;  // made as well; often the same; empty: the database is a server's
  Secret jwt_secret;
  Secret encryption_key;  // as written; see key32.hpp
  Secret admin_password;
};

struct FirstStart {
  Secret jwt_secret;
  Secret encryption_key;              // 32 bytes
  Secret admin_password;              // set if ADMIN_PASSWORD was
  std::string admin_password_hash;    // set if it was not: for crypto_pwhash_str_verify()
  Secret generated_password;          // set once, by the start that made the hash: print it, keep it nowhere
  std::vector<std::string> warnings;  // for the log
};

// Makes the directory ("": the working directory) if it is missing.  Otherwise as prepare_directories(), with `setting`
// as what else could be set.
Result<void> ensure_writable(const std::filesystem::path& directory, std::string_view setting);

// Makes the two directories where they are missing, and nothing in them.
Result<void> prepare_directories(const FirstStartInput& input);

// kStoreUnavailable: a directory or file cannot be made or written (the process exits with 73; the message names path
// and user id).  kInvalid: a secret file holds something else (exit 78; the message names the file, never its content).
Result<FirstStart> prepare_first_start(const FirstStartInput& input);

// The encryption key alone, for commands that need no more: made where there is none, as above.
Result<FirstStart> prepare_encryption_key(const FirstStartInput& input);

// Logs the warnings, and shows a generated password: the one place where a secret is shown on purpose, on the terminal,
// once, never in the log.
void tell_first_start(const FirstStart& start, const std::string& admin_username);

}  // namespace akr
