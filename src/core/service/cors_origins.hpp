// cors_origins.hpp - whose web pages may call a service from a browser: origins as browsers write them in their Origin
// field ("https://app.example", "app://obsidian.md"), or "*" alone for all.  Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/result.hpp"

namespace akr {

// ["https://app.example", ...] or "*".  kInvalid with field "cors_origins[2]" for what is no text.
Result<std::vector<std::string>> read_cors_origins(const boost::json::value& value);
boost::json::array cors_origins_to_json(std::span<const std::string> origins);

// May a page of this origin call?  Compared byte by byte, as the Fetch standard does.
bool allows_origin(std::span<const std::string> origins, std::string_view origin);
inline bool allows_every_origin(std::span<const std::string> origins) {
  return origins.size() == 1 && origins.front() == "*";
}

}  // namespace akr
