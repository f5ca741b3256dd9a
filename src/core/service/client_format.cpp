#include "core/service/client_format.hpp"

namespace akr {
namespace {

struct Dialect {
  std::string_view api_format;
  std::string_view output_format;
};
constexpr Dialect kDialects[] = {
    {"openai_compatible", "openai"}, {"anthropic_native", "anthropic"}, {"gemini_native", "gemini"}};

}  // namespace

std::string_view dialect_of(std::string_view api_format) {
  for (const Dialect& dialect : kDialects) {
    if (dialect.api_format == api_format) return dialect.output_format;
  }
  return "";
}

std::vector<std::string_view> api_formats() {
  std::vector<std::string_view> formats;
  for (const Dialect& dialect : kDialects) formats.push_back(dialect.api_format);
  return formats;
}

std::string_view client_format(const Service& service) {
  if (service.type == ServiceType::kGeneric) return "";
  const std::string& output = service.output_format;
  // An output_format may also be written as the api_format that it equals.
  if (output.empty() || output == "none" || output == service.api_format) return dialect_of(service.api_format);
  return output;
}

bool same_client_format(const Service& one, const Service& other) {
  return one.type == other.type && client_format(one) == client_format(other);
}

}  // namespace akr
