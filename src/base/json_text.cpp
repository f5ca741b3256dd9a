#include "base/json_text.hpp"

#include <boost/json.hpp>

#include "base/utf8.hpp"

namespace akr {

// Boost writes the bytes of strings as they are.  Everything around them is ASCII, so mending the whole text mends the
// strings.
std::string json_text(const boost::json::value& value) { return valid_utf8(boost::json::serialize(value)); }

}  // namespace akr
