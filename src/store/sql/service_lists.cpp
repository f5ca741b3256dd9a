#include "store/sql/service_lists.hpp"

#include "base/log.hpp"
#include "base/strings.hpp"
#include "core/outcome/failure_rules_json.hpp"
#include "core/service/affinity_rules_json.hpp"
#include "core/service/upstreams_json.hpp"

namespace akr {
namespace {

template <class List>
void read_list(std::string_view event, const std::string& slug, const std::string& text,
               Result<List> (*parse)(std::string_view), List& list) {
  if (text.empty()) return;
  if (auto parsed = parse(text)) {
    list = *std::move(parsed);
  } else {
    log_error(event, {{"service", slug}, {"message", parsed.error().message}});
  }
}

std::vector<std::string> split_methods(const std::string& text) {
  std::vector<std::string> methods;
  if (iequals(trim(text), "ANY")) return methods;
  for (std::string_view method : split(text, ',')) {
    if (!trim(method).empty()) methods.push_back(to_upper(trim(method)));
  }
  return methods;
}

std::string join_methods(const Service& service) {
  if (service.type == ServiceType::kLlm) return "";
  std::string text;
  for (const std::string& method : service.methods) text += (text.empty() ? "" : ",") + method;
  return text.empty() ? "ANY" : text;
}

}  // namespace

void read_lists(const ServiceLists& texts, Service& service) {
  if (service.type == ServiceType::kGeneric) service.methods = split_methods(texts.methods);
  const std::string& slug = service.slug;
  read_list("failure_rules_unreadable", slug, texts.failure_rules, parse_failure_rules, service.failure_rules);
  read_list("upstreams_unreadable", slug, texts.upstreams, parse_upstreams, service.upstreams);
  read_list("fallbacks_unreadable", slug, texts.fallbacks, parse_fallbacks, service.fallbacks);
  read_list("affinity_rules_unreadable", slug, texts.affinity_rules, parse_affinity_rules, service.affinity_rules);
  // A program of version 2 writes target_url and knows nothing of the list.
  if (!service.upstreams.empty()) service.upstreams.front().url = service.target_url;
}

ServiceLists write_lists(const Service& service) {
  ServiceLists texts{.methods = join_methods(service)};
  if (!service.failure_rules.empty()) texts.failure_rules = write_failure_rules(service.failure_rules);
  if (!service.upstreams.empty()) texts.upstreams = write_upstreams(service.upstreams);
  if (!service.fallbacks.empty()) texts.fallbacks = write_fallbacks(service.fallbacks);
  if (!service.affinity_rules.empty()) texts.affinity_rules = write_affinity_rules(service.affinity_rules);
  return texts;
}

}  // namespace akr
