// node_settings.hpp - from Settings to the plain values that the parts take.
#pragma once

#include <cstddef>

#include "admin/admin_api.hpp"
#include "app/first_start.hpp"
#include "app/node.hpp"
#include "config/settings.hpp"
#include "store/open.hpp"

namespace akr {

std::size_t worker_count(const Settings& settings);
FirstStartInput first_start_input(const Settings& settings);
StoreOptions store_options(const Settings& settings, const FirstStart& secrets);
NodeSettings make_node_settings(const Settings& settings, std::size_t workers);
AdminSettings admin_settings(const Settings& settings, const FirstStart& secrets);

}  // namespace akr
