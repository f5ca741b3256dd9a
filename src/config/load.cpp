#include "config/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <unistd.h>

#include "base/ip_address.hpp"
#include "base/strings.hpp"
#include "config/backend_choice.hpp"
#include "config/secret_rules.hpp"

namespace akr {
namespace {

// Written by curl's habit in small letters as often as in capitals.
constexpr std::array<std::string_view, 4> kAlsoLowerCase = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"};

// Documented for compose files and the web development server, which share the `.env` with us.
constexpr std::array<std::string_view, 4> kNeighbours = {"MYSQL_ROOT_PASSWORD", "NGINX_PORT", "NGINX_SSL_PORT",
                                                         "VITE_API_TARGET_URL"};

bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// Empty counts as unset.
const std::string* lookup(const Environment& variables, std::string_view name) {
  if (const auto found = variables.find(name); found != variables.end() && !found->second.empty()) {
    return &found->second;
  }
  if (!contains(kAlsoLowerCase, name)) return nullptr;
  const auto found = variables.find(to_lower(name));
  return found != variables.end() && !found->second.empty() ? &found->second : nullptr;
}

Result<void> read_all(Settings& settings, const Environment& environment, const Environment& dotenv) {
  for (const SettingEntries& group : settings.groups()) {
    for (SettingBase* setting : group.settings) {
      Result<void> read;
      if (const std::string* value = lookup(environment, setting->name())) {
        read = setting->read(*value, SettingSource::kEnvironment);
      } else if (const std::string* line = lookup(dotenv, setting->name())) {
        read = setting->read(*line, SettingSource::kDotenv);
      }
      if (!read) return read;
    }
  }
  return {};
}

// One character added, missing, wrong or swapped with its neighbour.
bool differs_in_one(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > 1 || a == b) return false;
  const auto first = static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  const std::string_view rest_a = a.substr(first);
  const std::string_view rest_b = b.substr(first);
  if (a.size() < b.size()) return rest_a == rest_b.substr(1);
  if (rest_a.substr(1) == rest_b.substr(1)) return true;
  return rest_a.size() >= 2 && rest_a[0] == rest_b[1] && rest_a[1] == rest_b[0] && rest_a.substr(2) == rest_b.substr(2);
}

// A misspelt name must not silently leave a setting at its default.
Result<void> check_names(Settings& settings, const Environment& dotenv) {
  for (const auto& [name, value] : dotenv) {
    const std::string upper = to_upper(name);
    if (settings.find(name) != nullptr || contains(kNeighbours, name) || contains(kAlsoLowerCase, upper)) continue;
    for (const SettingEntries& group : settings.groups()) {
      for (const SettingBase* setting : group.settings) {
        if (upper == setting->name() || differs_in_one(upper, setting->name())) {
          return Error{.code = ErrorCode::kInvalid,
                       .message = name + " in .env is not allowed: there is no such setting; " +
                                  std::string(setting->name()) + " is meant",
                       .field = name};
        }
      }
    }
    settings.warnings.push_back(name + " in .env is not a setting of the gateway and is ignored");
  }
  return {};
}

Result<void> check_together(const Settings& settings) {
  if (settings.tls_cert_file.given() != settings.tls_key_file.given()) {
    const SettingBase& missing = settings.tls_cert_file.given() ? static_cast<const SettingBase&>(settings.tls_key_file)
                                                                : settings.tls_cert_file;
    return missing.refusal("TLS needs both TLS_CERT_FILE and TLS_KEY_FILE");
  }
  const auto networks = parse_networks(settings.trusted_proxies());
  if (!networks) {
    return settings.trusted_proxies.refusal(networks.error().message + "; allowed is " +
                                            settings.trusted_proxies.allowed().en);
  }
  if (settings.proxy_protocol() && networks->empty()) {
    return settings.proxy_protocol.refusal(
        "set TRUSTED_PROXIES to the load balancers that send PROXY headers, else anybody could claim any address");
  }
  return {};
}

}  // namespace

Environment process_environment() {
  Environment variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

Result<std::string> read_dotenv_file(const std::string& path) {
  const auto failed = [&] {
    return Error{.code = ErrorCode::kInvalid, .message = path + " cannot be read: " + std::strerror(errno)};
  };
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) {
    if (errno == ENOENT) return std::string();
    return failed();
  }
  std::string text;
  std::array<char, 4096> block;
  std::size_t count = 0;
  while ((count = std::fread(block.data(), 1, block.size(), file)) > 0) text.append(block.data(), count);
  const bool broken = std::ferror(file) != 0;
  const Error error = broken ? failed() : Error{};
  std::fclose(file);
  if (broken) return error;
  return text;
}

Result<std::unique_ptr<Settings>> load_settings(const Environment& environment, std::string_view dotenv) {
  auto variables = parse_dotenv(dotenv);
  if (!variables) return variables.error();
  auto settings = std::make_unique<Settings>();
  if (auto read = read_all(*settings, environment, *variables); !read) return read.error();
  if (auto names = check_names(*settings, *variables); !names) return names.error();
  if (auto together = check_together(*settings); !together) return together.error();
  if (auto secrets = check_secrets(*settings); !secrets) return secrets.error();
  if (auto backends = check_backends(*settings); !backends) return backends.error();
  return settings;
}

}  // namespace akr
