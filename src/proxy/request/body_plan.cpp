#include "proxy/request/body_plan.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "llm/resources.hpp"

namespace akr {
namespace {

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

}  // namespace

BodyPlan plan_body(const RequestContext& ctx, const BodyLimits& limits) {
  const RoutedService& service = ctx.asked();
  const net::MessageHead& head = ctx.client.head();
  const bool llm = service.provider != nullptr;
  const std::string_view type = media_type(head.find(net::FieldId::kContentType));
  // The bytes of a file, whatever they look like and are called.
  const bool part_of_file = llm && !upload_in_query(ctx.route.query).empty() && is_upload_path(ctx.path_behind_slug());
  const ResourceMap* const map = llm ? service.provider->resources : nullptr;
  const bool wants_json = llm || !service.config.affinity_rules.empty();
  if (wants_json && is_json(type) && !part_of_file) return {.limit = llm ? limits.json : limits.kept};
  // It may name things, as multipart or under whatever type.
  if (map != nullptr && !takes_file(*map, ctx.path_behind_slug())) return {.limit = limits.json};
  if (service.config.stream_uploads) return {.streams = true, .even_if_here = true};
  if (!llm) return {.limit = limits.kept};
  if (!part_of_file && is_message(type)) return {.limit = limits.json};
  // How long a chunked one is shows when it is here.
  if (ctx.generates && head.body_kind() == net::BodyKind::kChunked) return {.limit = limits.json};
  if (ctx.generates && head.content_length() <= limits.kept) return {.limit = limits.kept};
  return {.limit = limits.upload, .streams = true};
}

}  // namespace akr
