#include "llm/api_path.hpp"

#include <algorithm>
#include <cstddef>

namespace akr {
namespace {

// v1, v1beta, v1alpha2, ...
bool is_version(std::string_view segment) {
  if (segment.size() < 2 || segment[0] != 'v' || segment[1] < '0' || segment[1] > '9') return false;
  std::size_t digits = 2;
  while (digits < segment.size() && segment[digits] >= '0' && segment[digits] <= '9') ++digits;
  segment.remove_prefix(digits);
  return segment.empty() || segment.starts_with("alpha") || segment.starts_with("beta");
}

std::size_t segment_end(std::string_view path, std::size_t begin) {
  std::size_t end = begin;
  while (end < path.size() && path[end] != '/') ++end;
  return end;
}

}  // namespace

std::string_view behind_version(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  std::size_t begin = 0;
  for (int i = 0; i < 4 && begin < path.size(); ++i) {
    const std::size_t end = segment_end(path, begin);
    if (is_version(path.substr(begin, end - begin))) {
      path.remove_prefix(std::min(end + 1, path.size()));
      // Written by the client and by its base URL.
      for (std::size_t again = segment_end(path, 0); is_version(path.substr(0, again)); again = segment_end(path, 0))
        path.remove_prefix(std::min(again + 1, path.size()));
      if (path.starts_with("openai/")) path.remove_prefix(7);  // Gemini's compatible endpoint
      return path;
    }
    begin = end + 1;
  }
  return path;
}

bool has_segment(std::string_view path, std::string_view segment) {
  for (auto at = path.find(segment); at != std::string_view::npos; at = path.find(segment, at + 1)) {
    const std::size_t end = at + segment.size();
    if ((at == 0 || path[at - 1] == '/') && (end == path.size() || path[end] == '/')) return true;
  }
  return false;
}

}  // namespace akr
