#include "proxy/request/body_plan.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "llm/resource_names.hpp"

namespace akr {
namespace {

// "Application/JSON; charset=utf-8" -> "Application/JSON"
std::string_view media_type(const net::MessageHead& head) {
  std::string_view type = head.find(net::FieldId::kContentType);
  type = type.substr(0, type.find(';'));
  const auto end = type.find_last_not_of(" \t");
  return type.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

bool is_json(std::string_view type) {
  constexpr std::string_view kSuffix = "+json";
  if (iequals(type, "application/json") || iequals(type, "text/json")) return true;
  return type.size() > kSuffix.size() && iequals(type.substr(type.size() - kSuffix.size()), kSuffix);
}

// Not what a file comes as: the types under which tools and browsers send JSON when they are told none, and the one
// text that opens a realtime call.
bool is_message(std::string_view type) {
  constexpr std::string_view kTypes[] = {"", "text/plain", "application/x-www-form-urlencoded", "application/sdp"};
  return is_json(type) || std::ranges::any_of(kTypes, [&](auto each) { return iequals(type, each); });
}

bool names_upload_path(const RoutedService& service, const net::MessageHead& head) {
  constexpr std::string_view kPlane = "/llm/";
  const std::string_view target = head.target();
  const std::size_t slug = kPlane.size() + service.config.slug.size();
  return target.starts_with(kPlane) && target.size() > slug && is_upload_path(target.substr(slug));
}

}  // namespace

BodyPlan plan_body(const RoutedService& service, const net::MessageHead& head, std::string_view query, bool generates,
                   const BodyLimits& limits) {
  const bool llm = service.provider != nullptr;
  const std::string_view type = media_type(head);
  // The bytes of a file, whatever they look like and are called.
  const bool part_of_file = llm && !upload_in_query(query).empty() && names_upload_path(service, head);
  const bool wants_json = llm || !service.config.affinity_rules.empty();
  if (wants_json && is_json(type) && !part_of_file) return {.limit = llm ? limits.json : limits.kept};
  if (service.config.stream_uploads) return {.streams = true, .even_if_here = true};
  if (!llm) return {.limit = limits.kept};
  if (!part_of_file && is_message(type)) return {.limit = limits.json};
  // How long a chunked one is shows when it is here.
  if (generates && head.body_kind() == net::BodyKind::kChunked) return {.limit = limits.json};
  if (generates && head.content_length() <= limits.kept) return {.limit = limits.kept};
  return {.limit = limits.upload, .streams = true};
}

}  // namespace akr
