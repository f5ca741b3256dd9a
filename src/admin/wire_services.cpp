#include <algorithm>

#include "admin/wire.hpp"
#include "admin/wire_fields.hpp"
#include "base/time_text.hpp"
#include "core/service/service_parts.hpp"
#include "llm/provider/registry.hpp"

namespace akr {
namespace {

// What write_service() and its callers add and nobody sets: known, and without effect.
constexpr const char* kOnlyShown[] = {"id",     "api_keys",   "key_counts", "upstream_states",
                                      "outage", "created_at", "updated_at", "etag"};

// The type, then everything else for a service of this type, by `fresh`, a new one of it.
void read_by_name(MemberReader& in, std::string_view name, Service& service, const Service& fresh) {
  for (const Field<Service>& field : service_fields()) {
    if (field.name == name) read_field(in, field, service, fresh);
  }
}

bool applies(const Field<Service>& field, const Service& service) {
  const AppliesTo own = service.type == ServiceType::kLlm ? AppliesTo::kLlm : AppliesTo::kGeneric;
  return field.applies == AppliesTo::kAllServices || field.applies == own;
}

// A service that becomes one of the other type loses what that has not.  What the original has for both is passed over;
// anything else that is asked for all the same is refused when the whole service is checked.
void read_foreign(MemberReader& in, const Field<Service>& field, Service& service, const Service& fresh) {
  if (const auto* worded = std::get_if<Worded<Service>>(&field.member)) {
    in.has(field.name);
    static_cast<void>(worded->read("", service));
    return;
  }
  if (const auto* text = std::get_if<std::string& (*)(Service&)>(&field.member)) (*text)(service) = look(*text, fresh);
  read_field(in, field, service, fresh);
}

// The original's URL is the first of the list: who knows only the one still changes what is used.
void join_urls(MemberReader& in, Service& service) {
  const std::string_view own = url_member(service.type);
  if (service.upstreams.empty()) return;
  std::string& first = service.upstreams.front().url;
  if (!in.has("upstreams")) {
    first = service.target_url;
    return;
  }
  if (in.has(own) && !service.target_url.empty() && service.target_url != first) {
    in.refuse(own, "must be the URL of upstreams[0], or be left out");
  }
  service.target_url = first;
}

// What the provider wants before a key in a header, unless the client said something else or has a key there already.
// The original's rule for one format is the list's own default (parts::default_key_prefix).
void default_prefix(MemberReader& in, const std::optional<KeyPlacement>& before, Service& service) {
  const Provider* const provider = service.type == ServiceType::kLlm ? find_provider(service.api_format) : nullptr;
  const auto* given = in.any("api_key_prefix");
  if (provider == nullptr || !service.key_placement || (given != nullptr && !given->is_null())) return;
  const KeyLocation location = service.key_placement->location;
  if (location != KeyLocation::kHeader || (given == nullptr && before && before->location == location)) return;
  service.key_placement->prefix = provider->credential.prefix;
}

// `methods_known`: the service has a method from before.
void read_members(MemberReader& in, Service& service, const Service& fresh, bool methods_known) {
  const std::optional<KeyPlacement> placement = service.key_placement;
  // The default of a key's prefix depends on it.
  read_by_name(in, "api_format", service, fresh);
  for (const Field<Service>& field : service_fields()) {
    if (applies(field, service)) {
      read_field(in, field, service, fresh);
    } else {
      read_foreign(in, field, service, fresh);
    }
  }
  parts::drop_nameless_placement(service);
  default_prefix(in, placement, service);
  join_urls(in, service);
  if (service.type == ServiceType::kGeneric && !methods_known && !in.has("method")) in.refuse(parts::method_missing());
  for (const char* name : kOnlyShown) in.has(name);
}

}  // namespace

std::string_view url_member(ServiceType type) { return type == ServiceType::kLlm ? "target_base_url" : "target_url"; }

Result<ServiceInput> read_new_service(const boost::json::object& object, std::chrono::milliseconds rest_total) {
  MemberReader in(object);
  for (const Field<Service>& field : service_fields()) {
    const bool wanted = field.required && field.applies == AppliesTo::kAllServices;
    if (wanted && !in.has(field.name)) in.refuse(field.name, "is required");
  }
  ServiceInput input;
  read_by_name(in, "config_type", input.service, {});
  input.service = new_service(input.service.type, rest_total);
  read_members(in, input.service, input.service, false);
  if (auto read = in.result(); !read) return read.error();
  input.ignored = in.unknown();
  return input;
}

Result<ServiceInput> read_service_change(const boost::json::object& object, Service before,
                                         std::chrono::milliseconds rest_total) {
  MemberReader in(object);
  ServiceInput input{std::move(before), {}};
  const bool methods_known = input.service.type == ServiceType::kGeneric;
  read_by_name(in, "config_type", input.service, {});
  read_members(in, input.service, new_service(input.service.type, rest_total), methods_known);
  if (auto read = in.result(); !read) return read.error();
  input.ignored = in.unknown();
  return input;
}

boost::json::object write_service(const Service& service, const std::optional<PoolCounts>& counts) {
  boost::json::object out;
  out["id"] = service.id.value;
  for (const Field<Service>& field : service_fields()) {
    write_field(field, service, out);
    // As in the original never filled: keys have their own endpoint.  It stands where the original's stands.
    if (field.name == "is_active") out["api_keys"] = boost::json::array();
  }
  if (counts) {
    out["key_counts"] = {{"total", counts->total},     {"active", counts->active},
                         {"cooling", counts->cooling}, {"exhausted", counts->exhausted},
                         {"invalid", counts->invalid}, {"disabled", counts->disabled},
                         {"limited", counts->limited}, {"in_flight", counts->in_flight}};
  }
  out["created_at"] = format_rfc3339(service.created_at);
  out["updated_at"] = format_rfc3339(service.updated_at);
  out["etag"] = service_etag(service);
  return out;
}

std::string service_etag(const Service& service) {
  return "\"" + std::to_string(service.id.value) + "-" + std::to_string(service.revision) + "\"";
}

}  // namespace akr
