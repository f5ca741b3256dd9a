// The words of errors: sentences for people and for logs, and the table for the documentation.
#include <algorithm>
#include <cctype>

#include "base/error_table.hpp"

namespace akr {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// A word of prose, as opposed to a name like `max_attempts`, "TLS" or "a.b".
bool begins_with_word(std::string_view text) {
  const std::string_view word = text.substr(0, text.find(' '));
  const auto is_letter = [](char c) { return is_lower(c) || c == '\'' || c == ',' || c == ':'; };
  return !word.empty() && std::all_of(word.begin() + 1, word.end(), is_letter);
}

}  // namespace

std::string for_people(std::string_view message) {
  std::string out(message);
  if (out.empty() || is_upper(out.front())) return out;  // written for people, some of it in the first version's words
  if (is_lower(out.front()) && begins_with_word(out))
    out.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(out.front())));
  const char last = out.back();
  if (last != '.' && last != '!' && last != '?') out += '.';
  return out;
}

Error for_people(Error error) {
  error.message = for_people(std::string_view(error.message));
  return error;
}

std::string for_logs(std::string_view message) {
  std::string out(message);
  if (out.ends_with('.') && !out.ends_with("..")) out.pop_back();
  if (!out.empty() && is_upper(out.front()) && begins_with_word(out))
    out.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(out.front())));
  return out;
}

std::string errors_markdown(Language language) {
  const bool chinese = language == Language::kChinese;
  std::string out =
      chinese ? "| 代码 | 状态 | 由谁返回 | 可重试 | 含义 |\n" : "| code | status | told by | try again | meaning |\n";
  out += "|---|---|---|---|---|\n";
  const auto by = [&](ToldBy who) -> std::string_view {
    if (!chinese) return who == ToldBy::kBoth ? "proxy, admin" : to_string(who);
    return who == ToldBy::kBoth ? "代理、管理" : who == ToldBy::kProxy ? "代理" : "管理";
  };
  for (const ErrorRow& row : error_table()) {
    out += "| `" + std::string(row.name) + '`';
    if (!row.admin_name.empty())
      out += (chinese ? "（管理：`" : " (admin: `") + std::string(row.admin_name) + (chinese ? "`）" : "`)");
    out += " | " + std::to_string(row.status) + " | ";
    out += by(row.by);
    out += row.retryable ? (chinese ? " | 是 | " : " | yes | ") : (chinese ? " | 否 | " : " | no | ");
    out += row.meaning.in(language);
    out += " |\n";
  }
  return out;
}

}  // namespace akr
