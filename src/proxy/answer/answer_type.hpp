// answer_type.hpp - may an answer be JSON, by its Content-Type?  Small servers and gateways name none, or any.
#pragma once

#include <string_view>

#include "base/strings.hpp"

namespace akr {

// It says nothing that excludes JSON: the first byte of the body tells.
inline bool leaves_type_open(std::string_view content_type) {
  const std::string_view type = media_type(content_type);
  return type.find('/') == std::string_view::npos || type.find('*') != std::string_view::npos ||
         iequals(type, "text/plain") || iequals(type, "text/html") || iequals(type, "application/octet-stream") ||
         iequals(type, "application/x-www-form-urlencoded");
}

// One JSON value, or perhaps one.
inline bool may_be_json(std::string_view content_type) {
  if (istarts_with(content_type, "application/json")) return true;
  const std::string_view type = media_type(content_type);
  constexpr std::string_view kSuffix = "+json";
  const bool suffixed = type.size() > kSuffix.size() && iequals(type.substr(type.size() - kSuffix.size()), kSuffix);
  return suffixed || iequals(type, "text/json") || iequals(type, "application/x-json") || leaves_type_open(type);
}

}  // namespace akr
