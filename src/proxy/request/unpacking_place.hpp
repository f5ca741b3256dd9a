// unpacking_place.hpp - who may unpack a request body now: each holds up to 16 MiB per coding, so that only a few do at
// a time, and of one access key only half as many: another one's must not wait for all of its.
//
// Places belong to the worker (the thread) that took them.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace akr {

class UnpackingPlace {
 public:
  static constexpr std::size_t kMost = 4;
  static constexpr std::ptrdiff_t kMostOfOne = kMost / 2;

  static bool is_free(std::string_view access_key) {
    return taken().size() < kMost && std::ranges::count(taken(), access_key) < kMostOfOne;
  }

  // REQUIRES: is_free().  `access_key` outlives it.
  explicit UnpackingPlace(std::string_view access_key) : access_key_(access_key) { taken().push_back(access_key); }
  UnpackingPlace(const UnpackingPlace&) = delete;
  UnpackingPlace& operator=(const UnpackingPlace&) = delete;
  ~UnpackingPlace() { taken().erase(std::ranges::find(taken(), access_key_)); }

 private:
  static std::vector<std::string_view>& taken() {
    thread_local std::vector<std::string_view> access_keys;
    return access_keys;
  }
  const std::string_view access_key_;
};

}  // namespace akr
