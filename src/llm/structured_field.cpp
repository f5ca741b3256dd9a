#include "llm/structured_field.hpp"

#include "base/strings.hpp"

namespace akr {
namespace {

// Takes what stands before the next `separator` outside of quotes, and the separator.
std::string_view take_until(std::string_view& text, char separator) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[at] == separator) {
      break;
    }
  }
  const auto taken = text.substr(0, at);
  text.remove_prefix(at < text.size() ? at + 1 : text.size());
  return trim(taken);
}

// Names have no escapes in practice; one that has keeps its backslash.
std::string_view without_quotes(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

FieldMember::Parameter read_pair(std::string_view text) {
  const auto name = take_until(text, '=');
  return {without_quotes(name), without_quotes(trim(text))};
}

}  // namespace

std::optional<std::string_view> FieldMember::find(std::string_view parameter) const {
  for (std::size_t i = 0; i < count; ++i) {
    if (iequals(parameters[i].name, parameter)) return parameters[i].value;
  }
  return std::nullopt;
}

std::optional<FieldMember> FieldMembers::next() {
  while (!rest_.empty()) {
    std::string_view text = take_until(rest_, ',');
    if (text.empty()) continue;
    FieldMember member;
    const auto [name, value] = read_pair(take_until(text, ';'));
    member.name = name;
    member.value = value;
    while (!text.empty() && member.count < member.parameters.size()) {
      member.parameters[member.count++] = read_pair(take_until(text, ';'));
    }
    return member;
  }
  return std::nullopt;
}

}  // namespace akr
