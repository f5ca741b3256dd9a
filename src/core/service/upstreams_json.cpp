#include "core/service/upstreams_json.hpp"

#include <boost/json.hpp>

#include "base/member_reader.hpp"

namespace akr {
namespace {

constexpr std::int64_t kMostWeight = 1'000'000;
constexpr std::int64_t kMostPriority = 1'000'000;

}  // namespace

Result<std::vector<Upstream>> read_upstreams(const boost::json::value& value) {
  return read_json_list<Upstream>(value, "upstreams", [](MemberReader& in, Upstream& upstream) {
    in.required("url");
    in.text("url", upstream.url);
    in.whole("weight", upstream.weight, 0, kMostWeight);
    in.whole("priority", upstream.priority, -kMostPriority, kMostPriority);
  });
}

boost::json::array upstreams_to_json(std::span<const Upstream> upstreams) {
  boost::json::array list;
  for (const Upstream& upstream : upstreams) {
    list.push_back({{"url", upstream.url}, {"weight", upstream.weight}, {"priority", upstream.priority}});
  }
  return list;
}

Result<std::vector<ServiceId>> read_fallbacks(const boost::json::value& value) {
  if (!value.is_array()) return wrong_json("fallbacks", "must be a list of service ids");
  std::vector<ServiceId> fallbacks;
  for (const boost::json::value& each : value.get_array()) {
    if (!each.is_int64() || each.get_int64() < 1) {
      return wrong_json(list_place("fallbacks", fallbacks.size()), "must be the id of a service");
    }
    fallbacks.push_back(ServiceId{each.get_int64()});
  }
  return fallbacks;
}

boost::json::array fallbacks_to_json(std::span<const ServiceId> fallbacks) {
  boost::json::array list;
  for (const ServiceId id : fallbacks) list.emplace_back(id.value);
  return list;
}

}  // namespace akr
