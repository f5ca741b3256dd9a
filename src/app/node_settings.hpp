// node_settings.hpp - from Settings to the plain values that the parts take.
#pragma once

#include <cstddef>

#include "admin/admin_api.hpp"
#include "app/first_start.hpp"
#include "app/node.hpp"
#include "base/result.hpp"
#include "config/settings.hpp"
#include "store/open.hpp"

namespace akr {

std::size_t worker_count(const Settings& settings);
ValidationPolicy validation_policy(const Settings& settings);
// `connections`: what is left of MAX_CONNECTIONS (descriptor_budget.hpp).
NodeSettings make_node_settings(const Settings& settings, std::size_t workers, std::size_t connections);
// With USE_ENV_PROXY: each proxy that is set must be one that could be used, or every request would fail that needs it.
// kInvalid with the setting's name.
Result<void> check_env_proxies(const Settings& settings);
// Where bodies over 1 MiB are kept: TMPDIR, else the `usual` place, else beside the data.
std::string body_directory(const char* tmpdir, const char* usual, const std::string& data_directory);
FirstStartInput first_start_input(const Settings& settings);
StoreOptions store_options(const Settings& settings, const FirstStart& secrets);
AdminSettings admin_settings(const Settings& settings, const FirstStart& secrets);

}  // namespace akr
