#include "config/dotenv.hpp"

#include <algorithm>
#include <optional>

#include "base/strings.hpp"

namespace akr {
namespace {

bool is_name(std::string_view text) {
  const auto name_character = [](char c) {
    return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && (text.front() < '0' || text.front() > '9') && std::ranges::all_of(text, name_character);
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

// Behind a closing quote only a comment may stand.
bool is_tail(std::string_view text) {
  const std::string_view rest = trim(text);
  return rest.empty() || rest.front() == '#';
}

std::optional<std::string> quoted_value(std::string_view text) {
  const char quote = text.front();
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) return is_tail(text.substr(i + 1)) ? std::optional(value) : std::nullopt;
    if (quote == '"' && text[i] == '\\' && i + 1 < text.size()) {
      value += unescaped(text[++i]);
    } else {
      value += text[i];
    }
  }
  return std::nullopt;
}

std::string plain_value(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t')) {
      text = text.substr(0, i);
      break;
    }
  }
  return std::string(trim(text));
}

std::optional<std::string> value_of(std::string_view text) {
  text = trim(text);
  if (text.starts_with('"') || text.starts_with('\'')) return quoted_value(text);
  return plain_value(text);
}

bool read_line(std::string_view line, Environment& into) {
  line = trim(line);
  if (line.empty() || line.front() == '#') return true;
  if (line.starts_with("export ") || line.starts_with("export\t")) line = trim(line.substr(7));
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = trim(line.substr(0, equals));
  auto value = value_of(line.substr(equals + 1));
  if (!is_name(name) || !value) return false;
  into.insert_or_assign(std::string(name), *std::move(value));
  return true;
}

}  // namespace

Result<Environment> parse_dotenv(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Environment variables;
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (!read_line(line, variables)) {
      return Error{.code = ErrorCode::kInvalid,
                   .message = ".env line " + std::to_string(number) +
                              " is not allowed: expected NAME=value, with quotes closed on the same line"};
    }
  }
  return variables;
}

}  // namespace akr
