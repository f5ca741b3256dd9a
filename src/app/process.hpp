// process.hpp - what every command of the program does with its surroundings.
#pragma once

#include <memory>

#include "base/error.hpp"
#include "base/result.hpp"
#include "config/load.hpp"

namespace akr {

// Of the environment and the `.env` in the working directory; the environment wins.
Result<std::unique_ptr<Settings>> settings_here();
Result<Environment> variables_here();

// A crash must not write the keys to a file, nor let another process of the user read them (reliability.md E-24).
void protect_memory();

// A file that may not grow any further (RLIMIT_FSIZE) is a failed write, as on a full disk, and so is a reader that has
// gone: neither is the end.
void survive_failed_writes();

// One line on standard error, with patience for a slow reader, but an end.
void tell(const Error& error);
// The same; returns its exit status.
int fail(const Error& error);

}  // namespace akr
