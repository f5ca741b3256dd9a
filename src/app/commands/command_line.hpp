// command_line.hpp - what the program was asked to do.  Settings are not flags: they come from the environment.
#pragma once

#include <string>
#include <variant>

namespace akr {

struct ServeCommand {};        // no command: run the gateway
struct HealthcheckCommand {};  // "healthcheck", and "--health-check" as in the original's image

// Writes a copy of the database that the first version of the gateway can use.
struct PlainCopyCommand {
  std::string path;
};

// Moves everything into another database.  Addresses, or env:NAME.
struct CopyDatabaseCommand {
  std::string from, to;
};

// Everything that only prints: --help, --version, docs, env-example, man-page, completion - and, with another exit
// code, a wrong command line.
struct PrintCommand {
  std::string text;   // ends with a line end
  int exit_code = 0;  // 0: to standard output; else to standard error
};

using Command = std::variant<ServeCommand, HealthcheckCommand, PlainCopyCommand, CopyDatabaseCommand, PrintCommand>;

constexpr int kExitUsage = 64;  // EX_USAGE of sysexits.h

Command parse_command_line(int argc, const char* const* argv);

}  // namespace akr
