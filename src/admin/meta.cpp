#include <chrono>

#include "admin/field_schema.hpp"
#include "admin/handlers.hpp"
#include "admin/openapi.hpp"
#include "core/keys/key_state.hpp"
#include "core/keys/selection/registry.hpp"
#include "core/outcome/failure_rules.hpp"
#include "core/outcome/failure_rules_json.hpp"
#include "core/service/client_format.hpp"
#include "core/service/validate_parts.hpp"

namespace akr {
namespace {

boost::json::array formats() {
  boost::json::array all;
  for (const std::string_view format : api_formats()) {
    all.push_back({{"id", format}, {"output_format", dialect_of(format)}});
  }
  return all;
}

boost::json::array names(const std::vector<std::string_view>& words) {
  boost::json::array all;
  for (const std::string_view word : words) all.emplace_back(word);
  return all;
}

boost::json::array policies() {
  boost::json::array all;
  for (const PolicyEntry& policy : selection_policies()) {
    all.push_back(
        {{"id", policy.id}, {"uses_weights", policy.uses_weights}, {"keeps_affinity", policy.keeps_affinity}});
  }
  return all;
}

boost::json::array presets() {
  boost::json::array all;
  for (const std::string_view name : preset_names()) {
    all.push_back({{"id", name}, {"rules", failure_rules_to_json(preset_failure_rules(name))}});
  }
  return all;
}

boost::json::array states() {
  boost::json::array all;
  for (const KeyState state : {KeyState::kActive, KeyState::kCooling, KeyState::kExhausted, KeyState::kInvalid}) {
    all.emplace_back(to_string(state));
  }
  return all;
}

}  // namespace

Result<AdminResponse> get_app_config(AdminCall& call) {
  return json_response(200, {{"proxy_public_base_url", call.parts.settings.public_base_url},
                             {"version", AKR_VERSION},
                             {"languages", {"zh-CN", "en"}},
                             {"setup_required", false},
                             {"login_methods", {"password"}}});
}

Result<AdminResponse> get_meta(AdminCall& call) {
  const auto rest_total = std::chrono::milliseconds(call.parts.settings.rest_total);
  boost::json::object rules{{"actions", names(rule_action_names())}, {"scopes", names(rule_scope_names())}};
  rules["presets"] = presets();
  return json_response(200, {{"version", AKR_VERSION},
                             {"languages", {"zh-CN", "en"}},
                             {"service_fields", meta_fields(describe_service_fields(rest_total))},
                             {"key_fields", meta_fields(describe_key_fields())},
                             {"api_formats", formats()},
                             {"output_formats", names(output_formats())},
                             {"selection_policies", policies()},
                             {"failure_rules", std::move(rules)},
                             {"key_states", states()}});
}

Result<AdminResponse> get_openapi(AdminCall& call) {
  return json_response(200, openapi_document(std::chrono::milliseconds(call.parts.settings.rest_total)));
}

}  // namespace akr
