// secret_rules.hpp - which secrets are too weak to start with (behaviour.md D15, reliability.md E-02).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/settings.hpp"

namespace akr {

// One of the values that documentation, examples and old defaults put where a secret belongs ("admin123",
// "your_admin_password", "sk-1234...").  Case, '-' and '_' make no difference.
bool is_placeholder(std::string_view secret);

// kInvalid for the first placeholder, short password, short signing secret or unusable access key;
// ALLOW_INSECURE_DEFAULTS lets all but unusable access keys pass.  Adds to settings.warnings what is weak but accepted.
Result<void> check_secrets(Settings& settings);

}  // namespace akr
