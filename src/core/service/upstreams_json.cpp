#include "core/service/upstreams_json.hpp"

#include <boost/json.hpp>

#include "core/service/json_item.hpp"

namespace akr {
namespace {

constexpr std::int64_t kMostWeight = 1'000'000;
constexpr std::int64_t kMostPriority = 1'000'000;

}  // namespace

Result<std::vector<Upstream>> read_upstreams(const boost::json::value& value) {
  return read_json_list<Upstream>(value, "upstreams", [](JsonItem& in, Upstream& upstream) {
    in.required("url");
    in.text("url", upstream.url);
    in.whole("weight", upstream.weight, 0, kMostWeight);
    in.whole("priority", upstream.priority, -kMostPriority, kMostPriority);
  });
}

Result<std::vector<Upstream>> parse_upstreams(std::string_view text) {
  const auto value = parse_json_text(text, "upstreams");
  if (!value) return value.error();
  return read_upstreams(*value);
}

boost::json::array upstreams_to_json(std::span<const Upstream> upstreams) {
  boost::json::array list;
  for (const Upstream& upstream : upstreams) {
    list.push_back({{"url", upstream.url}, {"weight", upstream.weight}, {"priority", upstream.priority}});
  }
  return list;
}

std::string write_upstreams(std::span<const Upstream> upstreams) {
  return boost::json::serialize(upstreams_to_json(upstreams));
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

Result<std::vector<ServiceId>> parse_fallbacks(std::string_view text) {
  const auto value = parse_json_text(text, "fallbacks");
  if (!value) return value.error();
  return read_fallbacks(*value);
}

boost::json::array fallbacks_to_json(std::span<const ServiceId> fallbacks) {
  boost::json::array list;
  for (const ServiceId id : fallbacks) list.emplace_back(id.value);
  return list;
}

std::string write_fallbacks(std::span<const ServiceId> fallbacks) {
  return boost::json::serialize(fallbacks_to_json(fallbacks));
}

}  // namespace akr
