// resource_names.hpp - the spellings under which a value of a request may name a thing: servers decode, join and cut
// before they compare, and whoever hides a name spells it another way than answers do.  Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llm/resources.hpp"

namespace akr {

// Is resource_id() not all that `value` may mean?  Cheap: nearly every value is spelled plainly.
bool oddly_spelled(const ResourceMap& map, std::string_view value);

// Every id that a server may read in a value that is: without blanks around it; of names also decoded up to four times,
// with '\' for '/', without empty and dot segments, and without what stands behind ';', '?' or '#'.
std::vector<std::string> resource_spellings(const ResourceMap& map, std::string_view value);

// Decodes what can be decoded; a '%' that begins no escape stays.
std::string decode_leniently(std::string_view text);

}  // namespace akr
