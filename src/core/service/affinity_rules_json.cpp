#include "core/service/affinity_rules_json.hpp"

#include <boost/json.hpp>

#include "base/member_reader.hpp"
#include "base/strings.hpp"

namespace akr {

Result<std::vector<AffinityRule>> read_affinity_rules(const boost::json::value& value) {
  return read_json_list<AffinityRule>(value, "affinity_rules", [](MemberReader& in, AffinityRule& rule) {
    in.text("method", rule.method);
    in.text("path", rule.path);
    in.required("created");
    in.texts("created", rule.created);
    in.texts("used", rule.used);
    rule.method = iequals(rule.method, "ANY") ? "" : to_upper(rule.method);
  });
}

boost::json::array affinity_rules_to_json(std::span<const AffinityRule> rules) {
  boost::json::array list;
  for (const AffinityRule& rule : rules) {
    boost::json::object out;
    if (!rule.method.empty()) out["method"] = rule.method;
    if (!rule.path.empty()) out["path"] = rule.path;
    out["created"] = boost::json::value_from(rule.created);
    out["used"] = boost::json::value_from(rule.used);
    list.push_back(std::move(out));
  }
  return list;
}

}  // namespace akr
