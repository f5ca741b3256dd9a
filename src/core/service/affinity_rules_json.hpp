// affinity_rules_json.hpp - AffinityRules as JSON: what the store keeps and the admin API speaks.
//
//   rules = [rule, ...]
//   rule  = {"method": "POST", "path": "/jobs/*", "created": ["/id"], "used": ["/job_id"]}
//
// Every member but "created" may be absent; "ANY" as method is the same as none.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

#include "base/result.hpp"
#include "core/service/service.hpp"

namespace akr {

// kInvalid with field "affinity_rules[2].created[0]" for the first member that is unknown or of a wrong type.  Whether
// the values can work is validate_service()'s business.
Result<std::vector<AffinityRule>> read_affinity_rules(const boost::json::value& value);

boost::json::array affinity_rules_to_json(std::span<const AffinityRule> rules);

}  // namespace akr
