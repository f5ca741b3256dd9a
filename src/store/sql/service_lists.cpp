#include "store/sql/service_lists.hpp"

#include "base/log.hpp"
#include "core/affinity_rules_json.hpp"
#include "core/failure_rules_json.hpp"
#include "core/upstreams_json.hpp"

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

}  // namespace

void read_lists(const ServiceLists& texts, Service& service) {
  const std::string& slug = service.slug;
  read_list("failure_rules_unreadable", slug, texts.failure_rules, parse_failure_rules, service.failure_rules);
  read_list("upstreams_unreadable", slug, texts.upstreams, parse_upstreams, service.upstreams);
  read_list("fallbacks_unreadable", slug, texts.fallbacks, parse_fallbacks, service.fallbacks);
  read_list("affinity_rules_unreadable", slug, texts.affinity_rules, parse_affinity_rules, service.affinity_rules);
  // A program of version 2 writes target_url and knows nothing of the list.
  if (!service.upstreams.empty()) service.upstreams.front().url = service.target_url;
}

ServiceLists write_lists(const Service& service) {
  ServiceLists texts;
  if (!service.failure_rules.empty()) texts.failure_rules = write_failure_rules(service.failure_rules);
  if (!service.upstreams.empty()) texts.upstreams = write_upstreams(service.upstreams);
  if (!service.fallbacks.empty()) texts.fallbacks = write_fallbacks(service.fallbacks);
  if (!service.affinity_rules.empty()) texts.affinity_rules = write_affinity_rules(service.affinity_rules);
  return texts;
}

}  // namespace akr
