// service_lists.hpp - those parts of a service that are lists, as texts in one row: JSON, but for the methods.
#pragma once

#include <string>

#include "core/service/service.hpp"

namespace akr {

struct ServiceLists {
  std::string methods;  // "GET,POST" or "ANY", as the original's; "" for LLM services
  std::string failure_rules, upstreams, fallbacks, affinity_rules;  // "" = none
};

// A text that cannot be read (somebody edited the table by hand) is logged and counts as none: the service works on
// without it rather than not at all.  REQUIRES: service.slug, type and target_url are set.
void read_lists(const ServiceLists& texts, Service& service);
ServiceLists write_lists(const Service& service);

}  // namespace akr
