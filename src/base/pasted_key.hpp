// pasted_key.hpp - a key as people bring it: from a file, a web page, a chat.
#pragma once

#include <string_view>

namespace akr {

// Without what is not seen at both ends: spaces, tabs and line ends; byte order marks; no-break, zero-width and other
// spaces of Unicode; marks of direction, joiners and soft hyphens.  No key of a provider holds any of them, and none of
// them may stand in a header.  Within the key nothing is changed: validation refuses it there.
std::string_view trim_pasted(std::string_view key);

}  // namespace akr
