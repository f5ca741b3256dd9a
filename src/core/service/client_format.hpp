// client_format.hpp - which dialect the clients of a service speak.  Pure.
#pragma once

#include <string_view>
#include <vector>

#include "core/service/service.hpp"

namespace akr {

// As an output_format names it ("openai", "anthropic", ...): the service's own if it has one, else that of its
// upstream.  "" for GENERIC services, and for an api_format that nobody knows.
std::string_view client_format(const Service& service);

// The output_format that is the same dialect as an api_format; "" for an unknown one.
std::string_view dialect_of(std::string_view api_format);

// Every api_format.
std::vector<std::string_view> api_formats();

// Can one stand in for the other without its clients noticing?
bool same_client_format(const Service& one, const Service& other);

}  // namespace akr
