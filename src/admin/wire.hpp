// wire.hpp - JSON <-> domain.  The only place that knows the admin API's field names.
//
// A service is called proxy config there, and its upstream key API key, as in the original; ui-and-admin-api.md 4.2
// lists where the meaning differs.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "admin/wire_fields.hpp"
#include "base/result.hpp"
#include "core/keys/key_pool.hpp"
#include "core/service/service.hpp"
#include "core/service/upstream_set.hpp"

namespace akr {

// What a request said, and the members in it that mean nothing here.
struct ServiceInput {
  Service service;
  std::vector<std::string> ignored;
};

// A new service: defaults of its type for what is absent.  kInvalid (field) for a missing or mistyped member; whether
// the values are acceptable is validate_service()'s business.
Result<ServiceInput> read_new_service(const boost::json::object& in, std::chrono::milliseconds rest_total);
// `before` with the members that are present; null clears.
Result<ServiceInput> read_service_change(const boost::json::object& in, Service before,
                                         std::chrono::milliseconds rest_total);

// When a status was asked for, on both clocks: `until` is told in wall-clock time.
struct Moment {
  TimePoint now;
  WallTime wall;
};

boost::json::object write_service(const Service& service, const std::optional<PoolCounts>& counts);
std::string service_etag(const Service& service);  // "7-3" in quotes: id and revision
// The member upstream_states: [{"url", "state", "consecutive_failures", "until"}], in the order of the list; "until"
// only where it is ejected.
boost::json::array write_upstream_states(UpstreamSet& upstreams, const Moment& moment);

std::string_view url_member(ServiceType type);  // "target_url" or "target_base_url"

// What people set on a key besides is_active.  Absent: stays; null: the default.
void read_key_members(MemberReader& in, UpstreamKey& key);
void read_key_members(MemberReader& in, NewKey& key);
bool has_key_member(MemberReader& in);  // any of them, or is_active

// Never the key itself, only its mask and fingerprint.  `status`: what the pool knows; nullopt before it is published.
boost::json::object write_key(const UpstreamKey& key, const std::optional<KeyStatus>& status, const Moment& moment);

// At least 10 characters, because the original's UI cuts out the first 6 and the last 4.
std::string mask_key(const Secret& key);

}  // namespace akr
