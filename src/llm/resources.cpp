#include "llm/resources.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "llm/api_path.hpp"
#include "llm/clue_search.hpp"
#include "llm/resource_names.hpp"

namespace akr {
namespace {

// path_fits(..., kAnywhere), for the patterns that most requests are held against.
bool begins_with(std::string_view pattern, std::string_view path) {
  const auto colon = pattern.find(':');  // a verb ends its path
  if (colon != std::string_view::npos && !path.ends_with(pattern.substr(colon + 1))) return false;
  if (pattern.find('*') != std::string_view::npos) return path_fits(pattern, path, PathEnd::kAnywhere);
  return path.starts_with(pattern) && (path.size() == pattern.size() || path[pattern.size()] == '/');
}

bool segment_fits(std::string_view pattern, std::string_view segment) {
  if (!pattern.starts_with('*')) return pattern == segment;
  std::string_view verb = pattern.substr(1);  // with its colon
  if (verb.empty()) return !segment.empty();
  if (segment.ends_with(verb)) return true;
  verb.remove_prefix(1);
  if (!segment.ends_with(verb)) return false;
  segment.remove_suffix(verb.size());
  return segment.ends_with("%3A") || segment.ends_with("%3a");
}

// Searched for clues: where clients put their switches, and little enough for every request.
constexpr std::size_t kSearched = 512;

bool has_clue_at_an_end(std::string_view body, std::span<const std::string_view> clues) {
  if (body.size() <= 2 * kSearched) return has_clue(body, clues);
  return has_clue(body.substr(0, kSearched), clues) || has_clue(body.substr(body.size() - kSearched), clues);
}

bool is_true_at(std::string_view json, std::string_view clue) {
  const auto at = json.find(clue);
  if (at == std::string_view::npos) return false;
  json = trim(json.substr(at + clue.size()));
  return json.starts_with(':') && trim(json.substr(1)).starts_with("true");
}

// Whoever splits the head of a request is bounded by its size: nothing in it is too much to be looked at.
void add(std::vector<std::string>& found, std::string_view encoded) {
  if (encoded.empty()) return;
  found.push_back(decode_leniently(encoded));
}

// Of what was added: as somebody reads it who decodes it again.
void add_decoded_again(std::vector<std::string>& found) {
  constexpr int kMostRounds = 3;  // behind the first
  for (int i = 0; i < kMostRounds && found.back().find('%') != std::string::npos; ++i) {
    std::string again = decode_leniently(found.back());
    if (again == found.back()) return;
    found.push_back(std::move(again));
  }
}

// Without what frames an id: blanks, and of lists brackets and quotes.
void add_bare(std::vector<std::string>& found, std::string_view text, std::string_view frame) {
  const auto begin = text.find_first_not_of(frame);
  if (begin == std::string_view::npos) return;
  const std::string_view bare = text.substr(begin, text.find_last_not_of(frame) + 1 - begin);
  if (bare != text) found.emplace_back(bare);
}

constexpr std::string_view kBlanks{" \t\r\n\v\f\0", 7};

// "a,b", ["a","b"], "a;b=c" where a ';' ends a parameter, and "+a" where a '+' is a blank.
void add_listed(std::vector<std::string>& found, std::size_t index) {
  constexpr std::string_view kFrame{" \t\r\n\v\f\0+[]{}()\"'/", 17};
  const std::string whole = found[index];
  for (std::size_t at = 0; at <= whole.size();) {
    const std::size_t end = std::min(whole.find_first_of(",;", at), whole.size());
    const std::string_view part = std::string_view(whole).substr(at, end - at);
    if (part.size() != whole.size() && !part.empty()) found.emplace_back(part);
    add_bare(found, part, kFrame);
    const auto equals = part.find('=');
    if (equals != std::string_view::npos && equals + 1 < part.size()) found.emplace_back(part.substr(equals + 1));
    at = end + 1;
  }
}

// Many servers decode before they split, and drop what stands behind a ';' or a '?': there a segment is what they make
// of it.
void add_pieces(std::vector<std::string>& found, std::size_t index) {
  constexpr std::string_view kEnds = "/\\;,?#";
  const std::string whole = found[index];
  if (whole.find_first_of(kEnds) == std::string::npos) return;
  std::string_view rest = whole;
  while (!rest.empty()) {
    const auto end = rest.find_first_of(kEnds);
    const std::string_view piece = rest.substr(0, end);
    if (!piece.empty()) found.emplace_back(piece);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
}

}  // namespace

std::string_view resource_id(const ResourceMap& map, std::string_view value) {
  if (!map.names || value.find('/') == std::string_view::npos) return value;
  std::string_view name = value.substr(0, value.find_first_of("?#"));
  const auto slash = name.rfind('/');
  name = name.substr(0, name.find(':', slash));
  const auto before = slash == 0 ? std::string_view::npos : name.rfind('/', slash - 1);
  return before == std::string_view::npos ? name : name.substr(before + 1);
}

std::string_view upload_in_query(std::string_view query) {
  constexpr std::string_view kUpload = "upload_id=";
  while (!query.empty()) {
    const std::string_view parameter = take_part(query, '&');
    if (parameter.starts_with(kUpload)) return parameter.substr(kUpload.size());
  }
  return {};
}

std::string_view resource_in_url(std::string_view url) {
  const std::string_view path = take_part(url, '?');
  if (const std::string_view upload = upload_in_query(url); !upload.empty()) return upload;
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool takes_file(const ResourceMap& map, std::string_view path) {
  if (map.names && is_upload_path(path)) return true;
  // In a segment that some server decodes, another path may stand.
  if (path.find_first_of("%;\\") != std::string_view::npos) return false;
  const std::string_view wanted = behind_version(path);
  return std::ranges::any_of(map.uploads, [&](auto each) { return path_fits(each, wanted, PathEnd::kThere); });
}

std::vector<std::string> resources_in_path(const ResourceMap* map, std::string_view path) {
  std::vector<std::string> found;
  const bool names = map != nullptr && map->names;
  std::string before;
  while (!path.empty()) {
    const std::size_t known = found.size();
    add(found, take_part(path, '/'));
    if (found.size() == known) continue;
    add_decoded_again(found);
    for (std::size_t i = known, readings = found.size(); i < readings; ++i) add_pieces(found, i);
    for (std::size_t i = known, readings = found.size(); i < readings; ++i)
      add_bare(found, std::string(found[i]), kBlanks);
    if (!names) continue;
    // A name is two segments, the collection and the thing in it; it may also be one whose slash is escaped.
    const std::string whole = found[known];
    std::string segment(resource_id(*map, whole));
    segment.resize(std::min(segment.find(':'), segment.size()));
    if (segment != whole) found.push_back(segment);
    if (!before.empty()) found.push_back(before.append("/").append(segment));
    before = std::move(segment);
  }
  return found;
}

std::vector<std::string> resources_in_query(const ResourceMap* map, std::string_view query) {
  std::vector<std::string> found;
  const bool names = map != nullptr && map->names;
  while (!query.empty()) {
    std::string_view parameter = take_part(query, '&');
    take_part(parameter, '=');
    const std::size_t known = found.size();
    add(found, parameter);
    if (found.size() == known) continue;
    add_decoded_again(found);
    // As it stands, and as it is when nothing is left to decode.
    const std::size_t last = found.size() - 1;
    add_listed(found, known);
    if (last != known) add_listed(found, last);
    if (!names) continue;
    const std::string value = found[known];
    std::string name(resource_id(*map, value));
    if (name != value) found.push_back(std::move(name));
    if (!oddly_spelled(*map, value)) continue;
    for (std::string& each : resource_spellings(*map, value)) found.push_back(std::move(each));
  }
  return found;
}

const ResourceRule* find_resource_rule(const ResourceMap& map, std::string_view method, std::string_view path,
                                       std::string_view body) {
  const std::string_view wanted = behind_version(path);
  if (wanted.size() < 2 || method == "DELETE") return nullptr;
  for (const ResourceRule& rule : map.rules) {
    // Two characters tell nearly all of them apart: this runs for every request.
    if (rule.path[0] != wanted[0] || rule.path[1] != wanted[1] || !begins_with(rule.path, wanted)) continue;
    if (rule.ids.empty() || (!rule.clues.empty() && !has_clue_at_an_end(body, rule.clues))) return nullptr;
    return &rule;
  }
  return nullptr;
}

bool asks_to_keep(const ResourceMap& map, std::string_view body) {
  if (map.keep_clue.empty()) return false;
  const std::size_t tail = body.size() - std::min(body.size(), kSearched);
  return is_true_at(body.substr(0, kSearched), map.keep_clue) || is_true_at(body.substr(tail), map.keep_clue);
}

bool path_fits(std::string_view pattern, std::string_view path, PathEnd end) {
  if (pattern.starts_with('/')) pattern.remove_prefix(1);
  if (path.starts_with('/')) path.remove_prefix(1);
  while (!pattern.empty()) {
    if (path.empty()) return false;
    const std::string_view wanted = take_part(pattern, '/');
    if (!segment_fits(wanted, take_part(path, '/'))) return false;
  }
  return path.empty() || end == PathEnd::kAnywhere;
}

}  // namespace akr
