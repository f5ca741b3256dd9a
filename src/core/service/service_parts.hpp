// service_parts.hpp - those fields of a service that have a structure of their own: how each is told in one text
// (Worded) or list (Listed), for the list of fields.  Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "core/service/service.hpp"

namespace akr::parts {

using MaybeText = std::optional<std::string>;

MaybeText write_type(const Service& service);  // "GENERIC" or "LLM"
Result<void> read_type(std::string_view text, Service& service);

MaybeText write_methods(const Service& service);  // "GET,POST" or "ANY"; an LLM service has none
Result<void> read_methods(std::string_view text, Service& service);
// For a service that was given no method at all.
Error method_missing();

// Where the key goes.  After the three were read: a place without a name is none,
// but for the path, which needs none.
MaybeText write_key_location(const Service& service);
Result<void> read_key_location(std::string_view text, Service& service);
MaybeText write_key_name(const Service& service);
Result<void> read_key_name(std::string_view text, Service& service);
MaybeText write_key_prefix(const Service& service);
Result<void> read_key_prefix(std::string_view text, Service& service);
std::string default_key_prefix(const Service& service);
void drop_nameless_placement(Service& service);

// Service::target_url, which the original keeps in one of two places.  The other type's place is not looked at, because
// its page sends both.
MaybeText write_target_url(const Service& service);
Result<void> read_target_url(std::string_view text, Service& service);
MaybeText write_target_base_url(const Service& service);
Result<void> read_target_base_url(std::string_view text, Service& service);

MaybeText write_pinning(const Service& service);  // "home" or "spread"
Result<void> read_pinning(std::string_view text, Service& service);

boost::json::array write_upstreams(const Service& service);
Result<void> read_upstreams(const boost::json::value& value, Service& service);
boost::json::array write_fallbacks(const Service& service);
Result<void> read_fallbacks(const boost::json::value& value, Service& service);
boost::json::array write_affinity_rules(const Service& service);
Result<void> read_affinity_rules(const boost::json::value& value, Service& service);
boost::json::array write_cors_origins(const Service& service);
Result<void> read_cors_origins(const boost::json::value& value, Service& service);  // also "*"
boost::json::array write_failure_rules(const Service& service);
Result<void> read_failure_rules(const boost::json::value& value, Service& service);  // also a built-in list's name

}  // namespace akr::parts
