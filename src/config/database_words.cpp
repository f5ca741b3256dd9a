#include "config/database_words.hpp"

#include <vector>

#include "base/database_kinds.hpp"
#include "config/setting_value.hpp"

namespace akr {
namespace {

template <class Show>
Text of_each_server(Show show) {
  Text text;
  for (const DatabaseKindRow& row : kDatabaseKinds) {
    if (!is_server(row.kind)) continue;
    const std::string shown = show(row.server);
    text.en.append(text.en.empty() ? "" : ", ").append(shown).append(" (").append(row.title).append(")");
    text.zh.append(text.zh.empty() ? "" : "，").append(shown).append("（").append(row.title).append("）");
  }
  return text;
}

}  // namespace

std::string server_words() {
  std::vector<std::string_view> words;
  for (const DatabaseKindRow& row : kDatabaseKinds) {
    if (is_server(row.kind)) words.push_back(row.words.front());
  }
  return join_words(words, " or ");
}

Text usual_ports() {
  return of_each_server([](const DatabaseServerWords& words) { return std::to_string(words.port); });
}

Text usual_users() {
  return of_each_server([](const DatabaseServerWords& words) { return "`" + std::string(words.user) + "`"; });
}

}  // namespace akr
