#include "upstream/credential.hpp"

#include "base/strings.hpp"

namespace akr {

bool Credential::contradicted_by(std::string_view field) const {
  return !in_query && field.size() == name.size() && iequals(field, name);
}

Credential credential_of(const RoutedService& service) {
  const auto& placement = service.config.key_placement;
  if (placement && placement->location == KeyLocation::kPath) return {};
  if (placement && !placement->name.empty()) {
    return {placement->location == KeyLocation::kQuery, placement->name, placement->prefix};
  }
  if (service.provider == nullptr) return {};
  const CredentialPlace& own = service.provider->credential;
  return {false, own.header, own.prefix};
}

void append_target(const Credential& credential, const UpstreamUrl& url, std::string_view target, const PooledKey& key,
                   std::string& out) {
  if (url.key_at != std::string::npos) return append_with_key(url, target, key.secret.expose(), out);
  if (!credential.in_query) {
    out += target;
    return;
  }
  out += take_part(target, '?');
  const std::string query = remove_parameter(target, credential.name);
  out += '?';
  out += query;
  if (!query.empty()) out += '&';
  out += percent_encode(credential.name);
  out += '=';
  std::string escaped = percent_encode(key.secret.expose());
  out += escaped;
  wipe(escaped);
}

void append_credential(const Credential& credential, const PooledKey& key, std::string& out) {
  if (credential.in_query || credential.name.empty()) return;
  out += credential.name;
  out += ": ";
  out += credential.prefix;
  out += key.secret.expose();
  out += "\r\n";
}

}  // namespace akr
