// resources.hpp - what in a dialect lives in the account of the key that made it (files, batches, stored answers, ...):
// which answers name such things, and where a request names them again.  Plain tables of static storage.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace akr {

// Answers to requests whose path begins with `path` name things at `ids`.
struct ResourceRule {
  // Segments behind the API's version; '*' = any one but the first, "*:verb" = any one with that verb.  More may
  // follow.  The first rule whose path fits decides.
  std::string_view path;
  // Pointers into the JSON answer, or into the JSON of any event of an event stream; '*' = any one token.  Empty: such
  // answers name nothing.
  std::span<const std::string_view> ids;
  // If not empty, one of these texts must stand in the first or last 512 bytes of the request body: keeps ordinary
  // traffic of the same path free of any look at its answers.  As clue_search.hpp wants them.
  std::span<const std::string_view> clues = {};
  // A list in such an answer is what the request made; elsewhere it is what there is (ResourceMap::lists).
  bool makes_lists = false;
};

struct ResourceMap {
  std::span<const ResourceRule> rules;
  // Members of a JSON request that hold an id, wherever they stand: "file_id", or "conversation/id" for the member `id`
  // of a member `conversation`.  Elements of an array count as values of its member.  Below `metadata` nothing counts.
  std::span<const std::string_view> members;
  // Pointers of rules at which a thing tells what it made in its turn: that belongs to whoever made the thing.
  std::span<const std::string_view> derived = {};
  // Pointers of rules at which an answer lists what the account holds, whatever was asked: nobody made it just now.
  std::span<const std::string_view> lists = {};
  // Where bodies are the bytes of files and name nothing, whatever they look like: whole paths behind the API's
  // version, patterns as above.  Beside Google's is_upload_path().
  std::span<const std::string_view> uploads = {};
  // Arrays whose objects are things themselves, named by their `id`: a conversation that is passed back.  Those of a
  // `type` in `whole_items` hold all that they are, so that any key can take them.
  std::span<const std::string_view> item_lists = {};
  std::span<const std::string_view> whole_items = {};
  // Fields of a request's head that hold an id; lower case.
  std::span<const std::string_view> request_fields = {};
  // The member of a generation call, with its quotes, that asks for what it generates to be kept; "" = none.
  std::string_view keep_clue = {};
  // An object with this `type` holds an id as its `id`; "" = none.
  std::string_view reference_type = {};
  // A field of the answer that names a thing by its URL; "" = none.
  std::string_view url_field = {};
  // Ids are resource names ("files/abc"), which also appear at the end of URLs and with a verb behind a colon.
  bool names = false;
};

// The id in `value` as pins know it: of a resource name or URL "https://host/v1beta/files/abc:download?alt=media" it is
// "files/abc", of anything else it is `value` itself.
std::string_view resource_id(const ResourceMap& map, std::string_view value);

// The id that the URL in `url_field` stands for: its parameter upload_id, else its last segment.
std::string_view resource_in_url(std::string_view url);

// The value of the parameter upload_id, as it stands there; "" = none.
std::string_view upload_in_query(std::string_view query);

// Is `path`, as the client sent it, behind the slug, one for the bytes of files (Google's)?
inline bool is_upload_path(std::string_view path) { return path.starts_with("/upload/"); }

// Is the body of a request to `path` the bytes of a file?
bool takes_file(const ResourceMap& map, std::string_view path);

// Everything in a request's path, or among the values of its query, that may be an id; decoded.
std::vector<std::string> resources_in_path(const ResourceMap* map, std::string_view path);
std::vector<std::string> resources_in_query(const ResourceMap* map, std::string_view query);

// The rule for answers to this request, nullptr if they name nothing.  `path` as the client sent it, behind the slug.
// DELETE makes nothing.
const ResourceRule* find_resource_rule(const ResourceMap& map, std::string_view method, std::string_view path,
                                       std::string_view body);

// Does the body of a generation call ask for what it generates to be kept?  Looks at its first and last 512 bytes.
bool asks_to_keep(const ResourceMap& map, std::string_view body);

// Does the path fit the pattern, whose '*' stands for any one segment?  Both with or without a leading slash.
enum class PathEnd : std::uint8_t { kThere, kAnywhere };  // may more segments follow?
bool path_fits(std::string_view pattern, std::string_view path, PathEnd end);

}  // namespace akr
