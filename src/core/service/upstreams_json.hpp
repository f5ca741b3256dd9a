// upstreams_json.hpp - the URLs of a service and the services after it as JSON: what the store keeps and the admin API
// speaks.
//
//   upstreams = [{"url": "https://a.example/v1", "weight": 3, "priority": 0}, ...]     weight 1 and priority 0 if
//   absent fallbacks = [7, 9, ...]                                                            ids of services
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

#include "base/result.hpp"
#include "core/service/service.hpp"

namespace akr {

// kInvalid with field "upstreams[2].weight" or "fallbacks[1]" for the first member that is unknown, of a wrong type or
// out of range.  Whether the values can work is validate_service()'s business.
Result<std::vector<Upstream>> read_upstreams(const boost::json::value& value);
boost::json::array upstreams_to_json(std::span<const Upstream> upstreams);

Result<std::vector<ServiceId>> read_fallbacks(const boost::json::value& value);
boost::json::array fallbacks_to_json(std::span<const ServiceId> fallbacks);

}  // namespace akr
