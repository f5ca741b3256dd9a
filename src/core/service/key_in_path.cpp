#include "core/service/key_in_path.hpp"

#include <algorithm>
#include <string>

#include "base/strings.hpp"
#include "core/service/path_check.hpp"

namespace akr {

KeyInPath::KeyInPath(const Service& service)
    : in_path_(service.key_placement && service.key_placement->location == KeyLocation::kPath) {
  if (!in_path_) return;
  const auto add = [this](const std::string& text) {
    auto url = parse_upstream_url(text);
    if (url && url->key_at != std::string::npos) urls_.push_back(*std::move(url));
  };
  add(service.target_url);
  for (const Upstream& upstream : service.upstreams) add(upstream.url);
}

bool operator==(const KeyInPath& a, const KeyInPath& b) {
  return a.in_path_ == b.in_path_ && std::ranges::equal(a.urls_, b.urls_, [](const auto& one, const auto& other) {
           return one.base_path == other.base_path && one.key_at == other.key_at;
         });
}

bool KeyInPath::takes(std::string_view key) const {
  if (!in_path_) return true;
  // Also where the mark has more beside it in its segment today: an operator may change the URL.
  if (key.find_first_not_of('.') == std::string_view::npos) return false;
  std::string path = "/";
  append_path_segment(key, path);
  bool stays = path_stays_put(path);
  for (const UpstreamUrl& url : urls_) {
    path.clear();
    append_with_key(url, url.base_path, key, path);
    stays = stays && path_stays_put(path);
  }
  wipe(path);
  return stays;
}

Result<void> KeyInPath::check(std::string_view key) const {
  if (takes(key)) return {};
  return Error{.code = ErrorCode::kInvalid,
               .message =
                   "the service's key stands in the URL's path, and with this key the path would leave the "
                   "service's base: no reading of it may be a '.' or '..' segment",
               .field = "key_value"};
}

}  // namespace akr
