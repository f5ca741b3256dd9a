#include "core/service/client_format.hpp"

namespace akr {

std::string_view dialect_of(std::string_view api_format, const KnownFormats& known) {
  for (const KnownFormats::Upstream& upstream : known.upstreams) {
    if (upstream.api_format == api_format) return upstream.output_format;
  }
  return "";
}

std::vector<std::string_view> api_format_names(const KnownFormats& known) {
  std::vector<std::string_view> names;
  names.reserve(known.upstreams.size());
  for (const KnownFormats::Upstream& upstream : known.upstreams) names.push_back(upstream.api_format);
  return names;
}

std::vector<std::string_view> output_format_names(const KnownFormats& known) {
  std::vector<std::string_view> names = {"none"};
  names.insert(names.end(), known.clients.begin(), known.clients.end());
  return names;
}

std::string_view client_format(const Service& service, const KnownFormats& known) {
  if (service.type == ServiceType::kGeneric) return "";
  const std::string& output = service.output_format;
  // An output_format may also be written as the api_format that it equals.
  if (output.empty() || output == "none" || output == service.api_format) return dialect_of(service.api_format, known);
  for (const std::string_view client : known.clients) {
    if (client == output) return client;
  }
  return output;
}

bool same_client_format(const Service& one, const Service& other, const KnownFormats& known) {
  return one.type == other.type && client_format(one, known) == client_format(other, known);
}

}  // namespace akr
