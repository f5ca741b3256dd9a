// openapi.hpp - the admin API as an OpenAPI 3.1 document: paths from the table of endpoints, services and keys from the
// lists of fields.  Pure.
#pragma once

#include <chrono>

#include <boost/json.hpp>

#include "core/service/client_format.hpp"

namespace akr {

// `rest_total` is PROXY_TIMEOUT: the default of some fields.
boost::json::object openapi_document(std::chrono::milliseconds rest_total, const KnownFormats& formats);

}  // namespace akr
