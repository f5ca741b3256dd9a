#include "proxy/request/authenticate.hpp"

#include <string>
#include <vector>

#include "base/strings.hpp"
#include "core/service/url.hpp"

namespace akr {
namespace {

constexpr std::string_view kPlaces =
    "send it as 'X-Proxy-Key: <key>', 'Authorization: Bearer <key>', 'x-api-key', 'api-key', 'x-goog-api-key' or "
    "'?key='";

// The credential of a field; "" if the field holds none.
std::string_view credential_of(const net::Field& field) {
  switch (field.id) {
    case net::FieldId::kXProxyKey:
    case net::FieldId::kXApiKey:
    case net::FieldId::kXAnthropicApiKey:
    case net::FieldId::kApiKey:
    case net::FieldId::kXGoogApiKey:
      return field.value;
    case net::FieldId::kAuthorization:
      return istarts_with(field.value, "bearer ") ? trim(field.value.substr(7)) : std::string_view();
    default:
      return {};
  }
}

Error missing() { return {ErrorCode::kAccessKeyMissing, "this needs an access key: " + std::string(kPlaces)}; }

Error invalid() { return {ErrorCode::kAccessKeyInvalid, "the access key is not known here; " + std::string(kPlaces)}; }

}  // namespace

Result<AccessGrant> authenticate(const net::MessageHead& head, std::string_view query, ServiceType type,
                                 const AccessKeys& keys) {
  std::string_view presented;
  const Error conflict = {ErrorCode::kAccessKeyConflict,
                          "two credentials in this request disagree: send one access key"};
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const std::string_view credential = credential_of(head.field(i));
    if (credential.empty()) continue;
    if (!presented.empty() && presented != credential) return conflict;
    presented = credential;
  }
  const std::vector<std::string> parameters =
      query.empty() ? std::vector<std::string>() : find_parameters(query, "key");
  const bool in_header = !presented.empty();
  bool key_in_query = false;
  for (const std::string& parameter : parameters) {
    // Beside a header `key` may be a generic service's own parameter, unless it is one of our keys.
    const bool counts = type == ServiceType::kLlm || !in_header || !keys.match(parameter).empty();
    if (parameter.empty() || !counts) continue;
    if (!presented.empty() && presented != parameter) return conflict;
    presented = parameter;
    key_in_query = true;
  }
  if (presented.empty()) return missing();
  const std::string_view fingerprint = keys.match(presented);
  if (fingerprint.empty()) return invalid();
  return AccessGrant{.fingerprint = fingerprint, .key_in_query = key_in_query};
}

Result<AccessGrant> authenticate_body_key(std::string_view presented, const AccessKeys& keys) {
  if (presented.empty()) return missing();
  const std::string_view fingerprint = keys.match(presented);
  if (fingerprint.empty()) return invalid();
  return AccessGrant{.fingerprint = fingerprint};
}

}  // namespace akr
