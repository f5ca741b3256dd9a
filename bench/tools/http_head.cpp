#include "http_head.hpp"

#include <charconv>

#include <strings.h>

namespace akr::bench {
namespace {

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trim_left(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

template <typename T>
T number_or(std::string_view text, T fallback) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? value : fallback;
}

void take_start_line(std::string_view line, Head& head) {
  const auto first_space = line.find(' ');
  if (first_space == std::string_view::npos) return;
  const auto rest = line.substr(first_space + 1);
  if (line.starts_with("HTTP/")) {
    head.status = number_or(rest, 0);
  } else {
    head.target = rest.substr(0, rest.find(' '));
  }
}

// The length of a name decides most comparisons before any letter is looked at.
void take_field(std::string_view line, Head& head) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const auto name = line.substr(0, colon);
  const auto value = trim_left(line.substr(colon + 1));
  if (equals_ignoring_case(name, "content-length")) {
    head.content_length = number_or<std::uint64_t>(value, 0);
    head.has_length = true;
  } else if (equals_ignoring_case(name, "transfer-encoding")) {
    head.chunked = equals_ignoring_case(value, "chunked");
  } else if (equals_ignoring_case(name, "connection")) {
    head.close = equals_ignoring_case(value, "close");
  }
}

}  // namespace

std::optional<Head> parse_head(std::string_view data) {
  const auto end = data.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  Head head{.size = end + 4};
  auto lines = data.substr(0, end + 2);
  bool first = true;
  while (!lines.empty()) {
    const auto line_end = lines.find("\r\n");
    const auto line = lines.substr(0, line_end);
    first ? take_start_line(line, head) : take_field(line, head);
    first = false;
    lines.remove_prefix(line_end + 2);
  }
  return head;
}

double query_number(std::string_view target, std::string_view name, double fallback) {
  auto query = target.substr(std::min(target.find('?'), target.size()));
  while (!query.empty()) {
    query.remove_prefix(1);  // the '?' or '&'
    const auto parameter = query.substr(0, query.find('&'));
    const auto equals = parameter.find('=');
    if (equals != std::string_view::npos && parameter.substr(0, equals) == name) {
      return number_or(parameter.substr(equals + 1), fallback);
    }
    query.remove_prefix(parameter.size());
  }
  return fallback;
}

}  // namespace akr::bench
