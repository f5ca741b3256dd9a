// url_join.cpp - the client's path and query appended to a service's URL; see url.hpp for the rules.
#include "base/strings.hpp"
#include "core/service/path_check.hpp"
#include "core/service/url.hpp"

namespace akr {
namespace {

Error refused(std::string message) { return {.code = ErrorCode::kPathRefused, .message = std::move(message)}; }

void drop_prefix(std::string_view& text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
}

// Nothing is appended for a bare slug, so a service can name one exact resource.
void append_generic(const UpstreamUrl& url, std::string_view tail, std::string& out) {
  out += url.base_path;
  if (!tail.empty() || url.slash_base || url.base_path.empty()) out += '/';
  out += tail;
}

// Clients and operators both like to put /v1 into "the base URL"; the upstream wants it once.
void append_openai(const UpstreamUrl& url, std::string_view tail, std::string& out) {
  while (tail.starts_with("v1/v1/")) drop_prefix(tail, "v1/");
  if (tail == "v1/v1") tail = "v1";
  const bool versioned = url.base_path.ends_with("/v1");
  out += url.base_path;
  if (versioned && tail == "v1") return;
  if (versioned) drop_prefix(tail, "v1/");
  out += '/';
  out += tail;
}

void append_path(const UpstreamUrl& url, JoinRule rule, std::string_view tail, std::string& out) {
  switch (rule) {
    case JoinRule::kGeneric:
      append_generic(url, tail, out);
      return;
    case JoinRule::kOpenAi:
      append_openai(url, tail, out);
      return;
    case JoinRule::kPlain:
      out += url.base_path;
      out += '/';
      out += tail;
      return;
  }
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

Result<void> join_target(const UpstreamUrl& url, JoinRule rule, std::string_view rest, std::string_view query,
                         std::string& out) {
  if (!rest.empty() && rest.front() != '/') return refused("the path after the slug must begin with '/'");
  if (!path_stays_put(rest)) return refused("the path must not hold '.' or '..' segments, controls or bad escapes");
  if (!query_is_clean(query)) return refused("the query must not hold spaces, controls or '#'");
  // However many slashes follow the slug, exactly one joins: "//host" must never begin a target.
  const auto begin = rest.find_first_not_of('/');
  append_path(url, rule, begin == std::string_view::npos ? std::string_view() : rest.substr(begin), out);
  append_query(url.query, query, out);
  return {};
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
