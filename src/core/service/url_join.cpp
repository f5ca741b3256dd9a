// url_join.cpp - the client's path and query appended to a service's URL; see url.hpp for the rules.
#include <algorithm>

#include "base/strings.hpp"
#include "core/service/path_check.hpp"
#include "core/service/url.hpp"

namespace akr {
namespace {

Error refused(std::string message) { return {.code = ErrorCode::kPathRefused, .message = std::move(message)}; }

bool begins_with(std::string_view path, std::string_view segment) {
  return path.starts_with(segment) && (path.size() == segment.size() || path[segment.size()] == '/');
}

bool ends_with(std::string_view path, std::string_view segment) {
  return path.size() > segment.size() && path.ends_with(segment) && path[path.size() - segment.size() - 1] == '/';
}

// Clients and operators both like to put the version into "the base URL".
std::string_view fold(std::string_view tail, std::string_view segment) {
  while (tail.size() > segment.size() && begins_with(tail.substr(segment.size() + 1), segment))
    tail.remove_prefix(segment.size() + 1);
  return tail;
}

void append_path(const UpstreamUrl& url, const JoinRule& rule, std::string_view tail, std::string& out) {
  out += url.base_path;
  if (rule.bare_is_base && tail.empty() && !url.slash_base && !url.base_path.empty()) return;
  for (const std::string_view segment : rule.once) {
    if (!begins_with(tail, segment)) continue;
    tail = fold(tail, segment);
    if (!ends_with(url.base_path, segment)) break;
    out += tail.substr(segment.size());  // "" or "/..."
    return;
  }
  out += '/';
  out += tail;
}

// Calls visit(part) for each parameter between '&', empty ones included.
template <class Visit>
void for_each_parameter(std::string_view query, Visit visit) {
  for (;;) {
    const auto end = query.find('&');
    visit(query.substr(0, end));
    if (end == std::string_view::npos) return;
    query.remove_prefix(end + 1);
  }
}

std::string decode_form(std::string_view text) {
  std::string spaced(text);
  for (char& c : spaced) c = c == '+' ? ' ' : c;
  auto decoded = percent_decode(spaced);
  return decoded ? *std::move(decoded) : std::string(text);
}

bool name_is(std::string_view part, std::string_view name) {
  const auto raw = part.substr(0, part.find('='));
  if (raw.find_first_of("%+") == std::string_view::npos) return raw == name;
  return decode_form(raw) == name;
}

bool is_one_of(std::string_view part, std::span<const std::string_view> names) {
  const auto raw = part.substr(0, part.find('='));
  const auto among = [&](std::string_view name) {
    return std::ranges::any_of(names, [&](std::string_view each) { return iequals(each, name); });
  };
  if (raw.find_first_of("%+") == std::string_view::npos) return among(raw);
  return among(decode_form(raw));
}

// Nearly always nothing is: then `kept` stays empty and the query is returned as it is.
std::string_view without_withheld(std::string_view query, std::span<const std::string_view> names, std::string& kept) {
  if (query.empty() || names.empty()) return query;
  bool any = false;
  for_each_parameter(query, [&](std::string_view part) { any = any || is_one_of(part, names); });
  if (!any) return query;
  for_each_parameter(query, [&](std::string_view part) {
    if (is_one_of(part, names)) return;
    if (!kept.empty()) kept += '&';
    kept += part;
  });
  return kept;
}

void append_parameter(std::string& out, std::size_t start, std::string_view part) {
  if (out.size() > start) out += '&';
  out += part;
}

// A parameter of the client replaces the configured one of the same name, as in the contract: two values of one name
// are read differently by different upstreams.
void append_query(std::string_view configured, std::string_view query, std::string& out) {
  if (configured.empty() && query.empty()) return;
  out += '?';
  const std::size_t start = out.size();
  if (!configured.empty()) {
    for_each_parameter(configured, [&](std::string_view part) {
      const std::string name = decode_form(part.substr(0, part.find('=')));
      if (query.empty() || !find_parameter(query, name)) append_parameter(out, start, part);
    });
  }
  if (!query.empty()) append_parameter(out, start, query);
}

}  // namespace

Result<void> join_target(const UpstreamUrl& url, const JoinRule& rule, std::string_view rest, std::string_view query,
                         std::string& out) {
  if (!rest.empty() && rest.front() != '/') return refused("the path after the slug must begin with '/'");
  if (!path_stays_put(rest)) return refused("the path must not hold '.' or '..' segments, controls or bad escapes");
  if (!query_is_clean(query)) return refused("the query must not hold spaces, controls or '#'");
  // However many slashes follow the slug, exactly one joins: "//host" must never begin a target.
  const auto begin = rest.find_first_not_of('/');
  append_path(url, rule, begin == std::string_view::npos ? std::string_view() : rest.substr(begin), out);
  std::string kept;
  append_query(url.query, without_withheld(query, rule.withheld, kept), out);
  return {};
}

void append_with_key(const UpstreamUrl& url, std::string_view target, std::string_view key, std::string& out) {
  out += target.substr(0, url.key_at);
  append_path_segment(key, out);
  out += target.substr(url.key_at + kKeyMark.size());
}

std::string remove_parameter(std::string_view query, std::string_view name) {
  std::string out;
  if (query.empty()) return out;
  out.reserve(query.size());
  bool first = true;
  for_each_parameter(query, [&](std::string_view part) {
    if (name_is(part, name)) return;
    if (!first) out += '&';
    first = false;
    out += part;
  });
  return out;
}

std::vector<std::string> find_parameters(std::string_view query, std::string_view name) {
  std::vector<std::string> found;
  for_each_parameter(query, [&](std::string_view part) {
    if (part.empty() || !name_is(part, name)) return;
    const auto equals = part.find('=');
    found.push_back(equals == std::string_view::npos ? std::string() : decode_form(part.substr(equals + 1)));
  });
  return found;
}

std::optional<std::string> find_parameter(std::string_view query, std::string_view name) {
  std::vector<std::string> found = find_parameters(query, name);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

}  // namespace akr
