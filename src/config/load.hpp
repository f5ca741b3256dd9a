// load.hpp - fills Settings from the environment and a `.env` file.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/dotenv.hpp"
#include "config/settings.hpp"

namespace akr {

// The environment of this process.
Environment process_environment();

// The text of the file; "" if there is none.  kInvalid if it exists and cannot be read.
Result<std::string> read_dotenv_file(const std::string& path);

// Where a name stands in both, the environment wins; an empty value counts as unset.  Errors (kInvalid, kUnsupported)
// are one line that names the setting, the value ("****" for secrets) and what is allowed; the process then exits
// with 78. A name in `.env` that differs from a setting in one character is such an error; other foreign names are a
// warning.
Result<std::unique_ptr<Settings>> load_settings(const Environment& environment, std::string_view dotenv);

}  // namespace akr
