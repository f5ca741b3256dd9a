#include "admin/handlers.hpp"

namespace akr {

Result<AdminResponse> get_app_config(AdminCall& call) {
  return json_response(200, {{"proxy_public_base_url", call.parts.settings.public_base_url},
                             {"version", AKR_VERSION},
                             {"languages", {"zh-CN", "en"}},
                             {"setup_required", false},
                             {"login_methods", {"password"}}});
}

}  // namespace akr
