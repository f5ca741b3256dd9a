// clue_search.hpp - does a text hold one of a few words?  For bodies of ordinary requests, of which nearly none does:
// reads sixteen bytes at a time.
#pragma once

#include <span>
#include <string_view>

namespace akr {

// The clues begin with the same character; each has at least six.
bool has_clue(std::string_view text, std::span<const std::string_view> clues);

}  // namespace akr
