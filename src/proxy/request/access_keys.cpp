#include "proxy/request/access_keys.hpp"

#include "base/strings.hpp"

namespace akr {

AccessKeys::AccessKeys(std::vector<Secret> keys) {
  for (Secret& key : keys) {
    std::string mark = fingerprint(key.expose());
    entries_.push_back({std::move(key), std::move(mark)});
  }
}

std::string_view AccessKeys::match(std::string_view presented) const {
  std::string_view found;
  for (const Entry& entry : entries_) {
    if (!presented.empty() && entry.key.equals(presented)) found = entry.fingerprint;
  }
  return found;
}

}  // namespace akr
