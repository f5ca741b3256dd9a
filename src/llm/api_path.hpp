// api_path.hpp - a request's path without what providers and operators put before it.  Pure.
#pragma once

#include <string_view>

namespace akr {

// What stands behind the API's version: "files/abc" of "/upload/v1beta/files/abc" and of "/v1/v1/files/abc".  A path
// without a version is one already, because the version is part of the service's URL.
std::string_view behind_version(std::string_view path);

// Is one of the path's segments, all of it, `segment`?
bool has_segment(std::string_view path, std::string_view segment);

}  // namespace akr
