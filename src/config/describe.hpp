// describe.hpp - the list of settings as text for people: help, documentation, example file, masked dump.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"

namespace akr {

std::string settings_help();                            // the part of --help behind the commands
std::string env_example();                              // .env.example, both languages, everything commented out
std::string configuration_markdown(Language language);  // docs/{en,zh-CN}/configuration.md

struct ShownSetting {
  std::string_view name;    // of static storage
  std::string value;        // "****" for secrets, "" for unset ones
  std::string_view source;  // "default" | ".env" | "environment"
};

// Every setting with its value, in the order of the list; for the status page of the admin API.
std::vector<ShownSetting> masked_dump(const Settings& settings);

}  // namespace akr
