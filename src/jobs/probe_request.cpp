#include "jobs/probe_request.hpp"

#include <vector>

#include "base/strings.hpp"
#include "llm/rate_limit_hints.hpp"
#include "llm/registry.hpp"

namespace akr {
namespace {

const Format* format_of(const Service& service) {
  return service.type == ServiceType::kLlm ? find_format(service.api_format) : nullptr;
}

// As the providers' own SDKs ask for it.
std::string_view model_list_path(const Format& format) {
  return format.api_format() == "gemini_native" ? "/v1beta/models" : "/v1/models";
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

// Sets the key where the data plane sets it: the operator's place, else the format's own.
void place_key(const Service& service, const Format* format, const PooledKey& key, std::string& target,
               std::string& fields) {
  const auto& placement = service.key_placement;
  if (placement && placement->location == KeyLocation::kQuery) {
    target += target.find('?') == std::string::npos ? '?' : '&';
    std::string escaped = percent_encode(key.secret.expose());
    target.append(percent_encode(placement->name)).append("=").append(escaped);
    wipe(escaped);
    return;
  }
  const UpstreamKeyPlacement own = format == nullptr ? UpstreamKeyPlacement{} : format->upstream_key_placement();
  fields.append(placement ? std::string_view(placement->name) : own.header).append(": ");
  fields.append(placement ? std::string_view(placement->prefix) : own.prefix).append(key.secret.expose());
  fields += "\r\n";
}

}  // namespace

bool can_probe(const Service& service) {
  if (service.type == ServiceType::kGeneric) return !service.validation_path.empty() && service.key_placement;
  return format_of(service) != nullptr;
}

Result<std::string> probe_head(const RoutedService& service, const UpstreamUrl& url, const PooledKey& key) {
  const Format* const format = format_of(service.config);
  std::string_view path =
      format == nullptr ? std::string_view(service.config.validation_path) : model_list_path(*format);
  std::string_view query;
  if (const auto mark = path.find('?'); mark != std::string_view::npos) {
    query = path.substr(mark + 1);
    path = path.substr(0, mark);
  }
  std::string target, fields;
  if (auto joined = join_target(url, service.join, path, query, target); !joined) return joined.error();
  append_field(fields, "Host", url.host_header);
  append_field(fields, "Accept", format == nullptr ? "*/*" : "application/json");
  append_field(fields, "Accept-Encoding", "identity");
  append_field(fields, "User-Agent", "api-key-rotator");
  if (format != nullptr) {
    for (const HeaderView& required : format->required_headers()) append_field(fields, required.name, required.value);
  }
  place_key(service.config, format, key, target, fields);
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
  const Format* const format = format_of(service.config);
  if (status < 400 || format == nullptr) return classify({.status = status, .retry_after = retry_hint(headers, now)});
  const ErrorDetail detail = format->parse_error({status, headers, body, now});
  // The two lists of kinds have the same enumerators (llm/error_detail.hpp).
  return classify({.status = detail.status,
                   .kind = static_cast<FailureKind>(detail.kind),
                   .retry_after = detail.retry_after,
                   .code = detail.code});
}

}  // namespace akr
