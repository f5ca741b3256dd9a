// service_lists.hpp - those parts of a service that are lists, as JSON texts in one row.
#pragma once

#include <string>

#include "core/service.hpp"

namespace akr {

struct ServiceLists {
  std::string failure_rules, upstreams, fallbacks, affinity_rules;  // "" = none
};

// A text that cannot be read (somebody edited the table by hand) is logged and counts as none: the service works on
// without it rather than not at all.  REQUIRES: service.slug and service.target_url are set.
void read_lists(const ServiceLists& texts, Service& service);
ServiceLists write_lists(const Service& service);

}  // namespace akr
