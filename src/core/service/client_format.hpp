// client_format.hpp - which dialect the clients of a service speak.  Pure; the dialects themselves are llm/'s, and core
// knows their names from a list that it is given at start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/service/service.hpp"

namespace akr {

// What the formats of a service may be.  Views of static storage.
struct KnownFormats {
  struct Upstream {
    std::string_view api_format;     // "openai_compatible"
    std::string_view output_format;  // the dialect that is spoken there natively, as its clients call it: "openai"
  };
  std::vector<Upstream> upstreams = {};
  std::vector<std::string_view> clients = {};  // output_formats
};

// As an output_format names it ("openai", "anthropic", ...): the service's own if it has one, else that of its
// upstream.  "" for GENERIC services, and for an api_format that nobody knows.  The view is one of `known` or of
// `service`.
std::string_view client_format(const Service& service, const KnownFormats& known);

// The output_format that is the same dialect as an api_format; "" for an unknown one.
std::string_view dialect_of(std::string_view api_format, const KnownFormats& known);

// Every api_format, and every output_format ("none" first).
std::vector<std::string_view> api_format_names(const KnownFormats& known);
std::vector<std::string_view> output_format_names(const KnownFormats& known);

// Can one stand in for the other without its clients noticing?
bool same_client_format(const Service& one, const Service& other, const KnownFormats& known);

}  // namespace akr
