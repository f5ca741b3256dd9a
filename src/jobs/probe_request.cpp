#include "jobs/probe_request.hpp"

#include <vector>

#include "base/strings.hpp"
#include "llm/provider/registry.hpp"
#include "llm/rate_limit_hints.hpp"

namespace akr {
namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

// Sets the key where the data plane sets it: the operator's place, else the provider's own.
void place_key(const RoutedService& routed, const UpstreamUrl& url, const PooledKey& key, std::string& target,
               std::string& fields) {
  const auto& placement = routed.config.key_placement;
  if (url.key_at != std::string::npos) {
    std::string with_key;
    append_with_key(url, target, key.secret.expose(), with_key);
    target.swap(with_key);
    wipe(with_key);
    return;
  }
  if (placement && placement->location == KeyLocation::kQuery) {
    target += target.find('?') == std::string::npos ? '?' : '&';
    std::string escaped = percent_encode(key.secret.expose());
    target.append(percent_encode(placement->name)).append("=").append(escaped);
    wipe(escaped);
    return;
  }
  const CredentialPlace own = routed.provider == nullptr ? CredentialPlace{} : routed.provider->credential;
  fields.append(placement ? std::string_view(placement->name) : own.header).append(": ");
  fields.append(placement ? std::string_view(placement->prefix) : own.prefix).append(key.secret.expose());
  fields += "\r\n";
}

}  // namespace

bool can_probe(const Service& service) {
  if (service.type == ServiceType::kGeneric) return !service.validation_path.empty() && service.key_placement;
  const Provider* const provider = find_provider(service.api_format);
  return provider != nullptr && !provider->free_call.empty();
}

Result<std::string> probe_head(const RoutedService& service, const UpstreamUrl& url, const PooledKey& key) {
  const Provider* const provider = service.provider;
  std::string_view path = provider == nullptr ? std::string_view(service.config.validation_path) : provider->free_call;
  std::string_view query;
  if (const auto mark = path.find('?'); mark != std::string_view::npos) {
    query = path.substr(mark + 1);
    path = path.substr(0, mark);
  }
  std::string target, fields;
  if (auto joined = join_target(url, service.join, path, query, target); !joined) return joined.error();
  append_field(fields, "Host", url.host_header);
  append_field(fields, "Accept", provider == nullptr ? "*/*" : "application/json");
  append_field(fields, "Accept-Encoding", "identity");
  append_field(fields, "User-Agent", "api-key-rotator");
  if (provider != nullptr) {
    for (const HeaderView& required : provider->required_headers) append_field(fields, required.name, required.value);
  }
  place_key(service, url, key, target, fields);
  std::string head = "GET " + target + " HTTP/1.1\r\n" + fields + "\r\n";
  wipe(target);
  wipe(fields);
  return head;
}

Verdict judge_probe(const RoutedService& service, const net::MessageHead& answer, std::string_view body, WallTime now) {
  std::vector<HeaderView> headers;
  for (std::size_t i = 0; i < answer.field_count(); ++i)
    headers.push_back({answer.field(i).name, answer.field(i).value});
  const int status = answer.status();
  if (service.rules) {
    if (const auto ruled = service.rules->match(status, body, retry_hint(headers, now))) return ruled->verdict;
  }
  const Provider* const provider = service.provider;
  if (status < 400 || provider == nullptr) return classify({.status = status, .retry_after = retry_hint(headers, now)});
  const UpstreamSpeech upstream = {provider, provider->dialects.front()};
  const ErrorDetail detail = upstream.parse_error({status, headers, body, now});
  // The two lists of kinds have the same enumerators (llm/error_detail.hpp).
  return classify({.status = detail.status,
                   .kind = static_cast<FailureKind>(detail.kind),
                   .retry_after = detail.retry_after,
                   .code = detail.code});
}

}  // namespace akr
