#include <chrono>

#include "admin/field_schema.hpp"
#include "admin/handlers.hpp"
#include "admin/openapi.hpp"
#include "base/error_table.hpp"
#include "core/keys/key_state.hpp"
#include "core/keys/selection/registry.hpp"
#include "core/outcome/failure_rules.hpp"
#include "core/outcome/failure_rules_json.hpp"
#include "core/service/client_format.hpp"

namespace akr {
namespace {

boost::json::array formats(const KnownFormats& known) {
  boost::json::array all;
  for (const KnownFormats::Upstream& upstream : known.upstreams) {
    all.push_back({{"id", upstream.api_format}, {"output_format", upstream.output_format}});
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

boost::json::object both_languages(const Phrase& phrase) { return {{"en", phrase.en}, {"zh-CN", phrase.zh}}; }

boost::json::array errors() {
  boost::json::array all;
  for (const ErrorRow& row : error_table()) {
    boost::json::object out{{"code", row.name}, {"status", row.status}, {"told_by", to_string(row.by)}};
    if (!row.admin_name.empty()) out["admin_code"] = row.admin_name;
    out["retryable"] = row.retryable;
    out["title"] = both_languages(row.title);
    out["description"] = both_languages(row.meaning);
    all.push_back(std::move(out));
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
  const KnownFormats& known = call.parts.settings.validation.formats;
  boost::json::object rules{{"actions", names(rule_action_names())}, {"scopes", names(rule_scope_names())}};
  rules["presets"] = presets();
  return json_response(200, {{"version", AKR_VERSION},
                             {"languages", {"zh-CN", "en"}},
                             {"service_fields", meta_fields(describe_service_fields(rest_total, known))},
                             {"key_fields", meta_fields(describe_key_fields())},
                             {"api_formats", formats(known)},
                             {"output_formats", names(output_format_names(known))},
                             {"selection_policies", policies()},
                             {"failure_rules", std::move(rules)},
                             {"key_states", states()},
                             {"errors", errors()}});
}

Result<AdminResponse> get_openapi(AdminCall& call) {
  const AdminSettings& settings = call.parts.settings;
  return json_response(200,
                       openapi_document(std::chrono::milliseconds(settings.rest_total), settings.validation.formats));
}

}  // namespace akr
