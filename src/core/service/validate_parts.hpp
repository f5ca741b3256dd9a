// validate_parts.hpp - what the bounds in the list of fields cannot say about one of them; for that list alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/service/validate.hpp"

namespace akr {

Error invalid(std::string_view field, std::string message);

Result<void> check_name(const Service& service, const ValidationPolicy& policy);
Result<void> check_slug(const Service& service, const ValidationPolicy& policy);
Result<void> check_methods(const Service& service, const ValidationPolicy& policy);
Result<void> check_api_format(const Service& service, const ValidationPolicy& policy);
Result<void> check_output_format(const Service& service, const ValidationPolicy& policy);
Result<void> check_key_placement(const Service& service, const ValidationPolicy& policy);
Result<void> check_selection_policy(const Service& service, const ValidationPolicy& policy);
Result<void> check_failure_rules(const Service& service, const ValidationPolicy& policy);
Result<void> check_egress_proxy(const Service& service, const ValidationPolicy& policy);
Result<void> check_upstreams(const Service& service, const ValidationPolicy& policy);  // target_url and upstreams
Result<void> check_fallbacks(const Service& service, const ValidationPolicy& policy);
Result<void> check_affinity_rules(const Service& service, const ValidationPolicy& policy);
Result<void> check_cors_origins(const Service& service, const ValidationPolicy& policy);  // cors_origins.cpp
Result<void> check_validation_path(const Service& service, const ValidationPolicy& policy);

}  // namespace akr
