#include "llm/resource_names.hpp"

#include <algorithm>
#include <optional>

#include "base/strings.hpp"

namespace akr {
namespace {

bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// "https://h/v1beta//x/../files/abc;a=b/:get?c#d" -> "files/abc"; a value of one segment is that segment.
std::string last_name(std::string_view text) {
  text = text.substr(0, text.find_first_of("?#"));
  std::vector<std::string_view> kept;
  while (!text.empty()) {
    const auto end = text.find_first_of("/\\");
    std::string_view segment = text.substr(0, end);
    segment = without_blanks(segment.substr(0, segment.find(';')));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!segment.empty() && segment != "." && segment != "..") kept.push_back(segment);
  }
  if (kept.empty()) return {};
  std::string name;
  if (kept.size() > 1) name.append(kept[kept.size() - 2]) += '/';
  return name.append(kept.back().substr(0, kept.back().find(':')));
}

}  // namespace

bool oddly_spelled(const ResourceMap& map, std::string_view value) {
  if (value.empty()) return false;
  if (is_blank(value.front()) || is_blank(value.back())) return true;
  if (!map.names) return false;
  if (value.back() == '/' || value.find_first_of("%\\;") != std::string_view::npos) return true;
  const auto scheme = value.find("://");
  if (scheme != std::string_view::npos) value.remove_prefix(scheme + 3);
  return value.find("//") != std::string_view::npos || value.find("/.") != std::string_view::npos ||
         value.starts_with('/') || value.starts_with("./");
}

std::vector<std::string> resource_spellings(const ResourceMap& map, std::string_view value) {
  std::vector<std::string> found = {std::string(without_blanks(value))};
  if (!map.names) return found;
  std::string text = found.front();
  constexpr int kMostRounds = 5;
  for (int round = 0; round < kMostRounds; ++round) {
    std::string name = last_name(text);
    if (!name.empty() && std::ranges::find(found, name) == found.end()) found.push_back(std::move(name));
    if (text.find('%') == std::string::npos) break;
    text = decode_leniently(text);
  }
  return found;
}

std::string decode_leniently(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto decoded = text[i] == '%' ? percent_decode(text.substr(i, 3)) : std::nullopt;
    if (!decoded || decoded->size() != 1) {
      out += text[i];
      continue;
    }
    out += decoded->front();
    i += 2;
  }
  return out;
}

}  // namespace akr
