// completion.hpp - what a shell offers behind `api-key-rotator`, from the command line's outline.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "app/commands/command_outline.hpp"

namespace akr {

std::string bash_completion(const CommandOutline& program);
std::string zsh_completion(const CommandOutline& program);
std::string fish_completion(const CommandOutline& program);

struct Shell {
  std::string_view name;
  std::string (*completion)(const CommandOutline&);
};

inline constexpr Shell kShells[] = {{"bash", bash_completion}, {"zsh", zsh_completion}, {"fish", fish_completion}};

}  // namespace akr
