// text_rules.hpp - which texts may become names, headers, parameters and keys.  Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace akr {

// Number of code points; nullopt if `text` is not UTF-8 (overlong forms and surrogates are not).
std::optional<std::size_t> utf8_length(std::string_view text);

bool has_control(std::string_view text);         // C0, DEL, or C1 in UTF-8
bool is_printable_ascii(std::string_view text);  // 0x20..0x7e only; "" is
bool is_token(std::string_view text);            // RFC 9110 section 5.6.2, not empty
bool is_query_name(std::string_view text);       // can stand unescaped before '=' in a query, not empty
bool is_slug(std::string_view text);             // [A-Za-z0-9._-]{1,100}, not "." or ".."

// Two or more long words joined by commas or spaces.  One scheme word before a key ("Bearer sk-...") is no list: keys
// of the original's generic services are stored that way.
bool looks_like_list_of_keys(std::string_view text);

}  // namespace akr
