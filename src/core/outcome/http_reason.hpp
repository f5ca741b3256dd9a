// http_reason.hpp - a status as a stable reason code of static storage: "http_429".
#pragma once

#include <string_view>

namespace akr {

// "http_4xx" and the like for a status without a name of its own, "http_other" outside 100..599.
std::string_view http_reason(int status);

}  // namespace akr
