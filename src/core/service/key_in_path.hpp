// key_in_path.hpp - which keys may stand in the path of a service's URLs (api_key_location "path").  Pure.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/service/service.hpp"
#include "core/service/url.hpp"

namespace akr {

// Made once for a service, and asked for each of its keys.  Default: of a service whose keys stand elsewhere.
class KeyInPath {
 public:
  KeyInPath() = default;
  explicit KeyInPath(const Service& service);

  // False: in some reading of the path (path_check.hpp) the request would leave the service's base, or there is no key.
  // Such a key is never sent.
  bool takes(std::string_view key) const;
  // takes() as kInvalid with the field "key_value"; the message does not hold the key.
  Result<void> check(std::string_view key) const;
  // Do both take the same keys?
  friend bool operator==(const KeyInPath& a, const KeyInPath& b);

 private:
  bool in_path_ = false;
  std::vector<UpstreamUrl> urls_;
};

}  // namespace akr
