#include "llm/answer_urls.hpp"

#include <algorithm>

#include "llm/api_path.hpp"
#include "llm/resources.hpp"

namespace akr {

const UrlMembers* find_url_members(std::span<const UrlMembers> members, std::string_view path) {
  if (members.empty()) return nullptr;
  const std::string_view wanted = behind_version(path);
  const auto found = std::ranges::find_if(
      members, [&](const UrlMembers& each) { return path_fits(each.path, wanted, PathEnd::kAnywhere); });
  return found == members.end() || found->pointers.empty() ? nullptr : &*found;
}

}  // namespace akr
