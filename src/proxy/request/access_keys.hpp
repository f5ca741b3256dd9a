// access_keys.hpp - the keys that clients may present.  Immutable after construction; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"

namespace akr {

class AccessKeys {
 public:
  explicit AccessKeys(std::vector<Secret> keys);

  // The fingerprint of the key that equals `presented`, or "" if none does.  Compares with every key in constant time,
  // so that neither the position nor the common prefix shows.  No keys: closed, nothing matches.
  std::string_view match(std::string_view presented) const;

 private:
  struct Entry {
    Secret key;
    std::string fingerprint;
  };
  std::vector<Entry> entries_;
};

}  // namespace akr
