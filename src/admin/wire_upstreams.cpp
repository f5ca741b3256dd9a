#include "admin/member_reader.hpp"
#include "admin/wire.hpp"
#include "core/service/affinity_rules_json.hpp"
#include "core/service/upstreams_json.hpp"

namespace akr {
namespace {

// A list, or null for none.
template <class List>
void read_list(MemberReader& in, std::string_view name, Result<List> (*read)(const boost::json::value&), List& list) {
  const boost::json::value* member = in.any(name);
  if (member == nullptr) return;
  if (member->is_null()) return list.clear();
  auto items = read(*member);
  if (!items) return in.refuse(items.error());
  list = *std::move(items);
}

// The original's URL is the first of the list: who knows only the one still changes what is used.
void read_urls(MemberReader& in, Service& service) {
  const std::string_view own = url_member(service.type);
  // Both are the original's members, of which one belongs to each type; its UI sends both.
  for (const char* known : {"target_url", "target_base_url"}) in.has(known);
  const bool url_given = in.has(own);
  in.text(own, service.target_url, "");
  const bool list_given = in.has("upstreams");
  read_list(in, "upstreams", read_upstreams, service.upstreams);
  if (service.upstreams.empty()) return;
  std::string& first = service.upstreams.front().url;
  if (!list_given) {
    first = service.target_url;
    return;
  }
  if (url_given && !service.target_url.empty() && service.target_url != first) {
    in.refuse(own, "must be the URL of upstreams[0], or be left out");
  }
  service.target_url = first;
}

}  // namespace

std::string_view url_member(ServiceType type) { return type == ServiceType::kLlm ? "target_base_url" : "target_url"; }

void read_upstream_members(MemberReader& in, Service& service) {
  read_urls(in, service);
  read_list(in, "fallbacks", read_fallbacks, service.fallbacks);
  read_list(in, "affinity_rules", read_affinity_rules, service.affinity_rules);
  // Goes with the type that has it, as `method` does, unless it is asked for.
  if (service.type == ServiceType::kLlm) service.validation_path.clear();
  in.text("validation_path", service.validation_path, "");
  in.flag("retry_on_empty", service.retry_on_empty, false);
}

void write_upstream_members(const Service& service, boost::json::object& out) {
  out[url_member(service.type)] = service.target_url;
  out["upstreams"] = upstreams_to_json(service.upstreams);
  out["fallbacks"] = fallbacks_to_json(service.fallbacks);
  out["affinity_rules"] = affinity_rules_to_json(service.affinity_rules);
  out["validation_path"] = service.validation_path;
  out["retry_on_empty"] = service.retry_on_empty;
}

}  // namespace akr
