// validate_parts.hpp - the parts of validate_service() with a file of their own; not for other callers.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "core/service/validate.hpp"

namespace akr {

Error invalid(std::string_view field, std::string message);

Result<void> check_upstreams(const Service& service, const ValidationPolicy& policy);  // target_url and upstreams
Result<void> check_fallbacks(const Service& service);
Result<void> check_affinity_rules(const Service& service);
Result<void> check_validation_path(const Service& service);

}  // namespace akr
