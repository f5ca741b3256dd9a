// man_page.hpp - api-key-rotator(8) for man(1), from the command line's outline and the list of settings.
#pragma once

#include <string>

#include "app/commands/command_outline.hpp"

namespace akr {

std::string man_page(const CommandOutline& program);

// `text` as roff shows it: nothing in it is a request or an escape; what stands in backticks is bold.
std::string roff(std::string_view text);

}  // namespace akr
