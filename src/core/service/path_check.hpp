// path_check.hpp - can a path climb out of the folder it is appended to?  Pure.
#pragma once

#include <string_view>

namespace akr {

// True if no reading of `path` that an upstream may choose leads upward or cuts it: undecoded, decoded once or decoded
// twice, with '\' or an overlong UTF-8 form as '/', and with what follows ';' in a segment dropped, there is no segment
// "." or "..".  False also for a bad escape and for a NUL, CR or LF in any of these readings, and for bytes that no
// request target may hold (controls, space, '#', '?').  Other escapes and bytes from 0x80 up are opaque.
bool path_stays_put(std::string_view path);

// No controls, space or '#'; escapes are not looked at.
bool query_is_clean(std::string_view query);

}  // namespace akr
