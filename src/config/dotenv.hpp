// dotenv.hpp - reads the text of a `.env` file.
//
//   file  = *( line LF )
//   line  = blank | "#" comment | [ "export " ] NAME "=" value
//   value = 'taken literally' | "with \n \r \t \" \\ \$" | plain, trimmed, up to " #"
//
// Nothing is expanded: a password with a '$' in it stays what it is.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace akr {

using Environment = std::map<std::string, std::string, std::less<>>;

// A name that occurs twice has its last value.  kInvalid with the number of the first wrong line, never its content.
Result<Environment> parse_dotenv(std::string_view text);

}  // namespace akr
