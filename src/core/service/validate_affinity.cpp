#include <algorithm>

#include "base/member_reader.hpp"
#include "base/strings.hpp"
#include "core/service/path_check.hpp"
#include "core/service/text_rules.hpp"
#include "core/service/validate_parts.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostRules = 64;
constexpr std::size_t kMostPointers = 16;
constexpr std::size_t kLongestPointer = 1000;
constexpr std::size_t kLongestPath = 2048;

bool is_path(std::string_view path) {
  return path.starts_with('/') && path.size() <= kLongestPath && path_stays_put(path);
}

// RFC 6901: '~' only as "~0" and "~1".  "" would be the whole document, which is no id.
bool is_pointer(std::string_view pointer) {
  if (!pointer.starts_with('/') || pointer.size() > kLongestPointer) return false;
  for (auto at = pointer.find('~'); at != std::string_view::npos; at = pointer.find('~', at + 1)) {
    if (at + 1 == pointer.size() || (pointer[at + 1] != '0' && pointer[at + 1] != '1')) return false;
  }
  return true;
}

Result<void> check_pointers(const std::string& field, const std::vector<std::string>& pointers) {
  if (pointers.size() > kMostPointers) return invalid(field, "at most 16 pointers");
  for (std::size_t i = 0; i < pointers.size(); ++i) {
    if (is_pointer(pointers[i])) continue;
    return invalid(list_place(field, i), "a JSON pointer (RFC 6901) begins with '/', like /job/id");
  }
  return {};
}

Result<void> check_rule(const std::string& place, const AffinityRule& rule) {
  const std::string& method = rule.method;
  if (!method.empty() && (!is_token(method) || method.size() > 32 || to_upper(method) != method)) {
    return invalid(place + ".method", "a method is a word of upper-case letters, like POST");
  }
  if (!rule.path.empty() && !is_path(rule.path)) {
    return invalid(place + ".path", "a path begins with '/', like /jobs/*, and has no query");
  }
  for (std::string_view segment : split(rule.path, '/')) {
    if (segment == "*" || segment.find('*') == std::string_view::npos) continue;
    return invalid(place + ".path", "'*' stands for a whole segment, like in /jobs/*");
  }
  if (rule.created.empty()) return invalid(place + ".created", "needs at least one JSON pointer to an id");
  if (auto r = check_pointers(place + ".created", rule.created); !r) return r;
  return check_pointers(place + ".used", rule.used);
}

}  // namespace

Result<void> check_affinity_rules(const Service& service, const ValidationPolicy&) {
  if (service.affinity_rules.size() > kMostRules) return invalid("affinity_rules", "at most 64 rules");
  for (std::size_t i = 0; i < service.affinity_rules.size(); ++i) {
    if (auto r = check_rule(list_place("affinity_rules", i), service.affinity_rules[i]); !r) return r;
  }
  return {};
}

Result<void> check_validation_path(const Service& service, const ValidationPolicy&) {
  constexpr std::string_view kField = "validation_path";
  if (service.validation_path.empty()) return {};
  if (service.type == ServiceType::kLlm) {
    return invalid(kField, "only a GENERIC service has one; the format of an LLM service knows its own");
  }
  if (!is_path(service.validation_path)) {
    return invalid(kField,
                   "a path begins with '/', like /account, and has at most 2048 characters, no query "
                   "and no '..'");
  }
  return {};
}

}  // namespace akr
