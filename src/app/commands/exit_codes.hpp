// exit_codes.hpp - what the exit codes mean, for --help and the manual page.
#pragma once

#include <string_view>

#include "app/commands/command_line.hpp"
#include "app/exit_status.hpp"

namespace akr {

struct ExitCode {
  int number;
  std::string_view meaning;
};

inline constexpr ExitCode kExitCodes[] = {
    {0, "Stopped cleanly"},
    {kExitRefused, "Not healthy, or a copy refused"},
    {kExitUsage, "Wrong command line"},
    {kExitStore, "Data directory or database not writable"},
    {kExitAway, "Database server not reached (may pass)"},
    {kExitConfig, "A setting is not allowed or cannot be used"},
};

}  // namespace akr
