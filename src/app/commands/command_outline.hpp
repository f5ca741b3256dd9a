// command_outline.hpp - what a command line may hold, as plain values: from these the manual page and the completions
// of shells are made, so that neither is a second list.
#pragma once

#include <string>
#include <vector>

namespace akr {

struct ArgumentOutline {
  std::vector<std::string> names;    // "-h", "--help"; empty: told by its place
  std::string value;                 // "FILE", "TEXT"; empty: a flag
  std::vector<std::string> choices;  // all that the value may be; empty: anything
  std::string meaning;
  bool required = false;

  bool is_option() const { return !names.empty(); }
};

struct CommandOutline {
  std::string name;
  std::string meaning;
  std::vector<ArgumentOutline> arguments;
  std::vector<CommandOutline> commands;
};

}  // namespace akr
