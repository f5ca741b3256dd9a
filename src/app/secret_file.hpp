// secret_file.hpp - a small file with a secret in it that is complete or absent, and never changes once it is there.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace akr {

struct SecretFile {
  Secret content;
  bool created = false;  // by this call
  bool readable_by_others = false;
};

// The content of `path` without trailing line ends.  If there is no such file, make() is asked for a content and the
// file is created with mode 0600, flushed to disk together with its directory.  If another process creates it
// meanwhile, its content counts and `created` is false.  An error of make() is passed on; kStoreUnavailable names the
// path and the user id.
Result<SecretFile> load_or_create(const std::filesystem::path& path, const std::function<Result<Secret>()>& make);

// "cannot write PATH as user id N: REASON"
Error cannot_write(const std::filesystem::path& path, int error_number);

}  // namespace akr
