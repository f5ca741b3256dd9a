// utf8.hpp - text that came from elsewhere, made fit to stand in text of ours: always valid UTF-8 (RFC 3629).
//
// Whoever builds an error message cuts with cut_utf8(); whoever writes text out (JSON, logs, headers of ours) makes it
// valid there, so that no path around a cut matters.  json_text() is the way for JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace akr {

// Length of the character at the front of `text`; 0 if there is none: overlong forms, surrogates and cut characters
// are not.
std::size_t utf8_character(std::string_view text);

bool is_utf8(std::string_view text);

// Each run of bytes that are no UTF-8 becomes one U+FFFD.  What is valid comes back as it is, without a copy.
std::string valid_utf8(std::string text);

// The beginning of `text`, at most `most` bytes, without the part of a character that would be cut.  Bytes that are no
// UTF-8 stay.
std::string_view cut_utf8(std::string_view text, std::size_t most);

}  // namespace akr
