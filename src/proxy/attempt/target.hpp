// target.hpp - the service that attempts go to now, and what of it was tried in vain.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "core/ids.hpp"
#include "core/service/upstream_set.hpp"
#include "llm/provider.hpp"
#include "upstream/routed_service.hpp"

namespace akr {

struct Target {
  static constexpr std::size_t kMostKeys = 10;  // distinct ones per request and service (D05)

  const RoutedService* service = nullptr;  // lives as long as the request's routing table
  UpstreamSpeech speaks = {};
  UpstreamMask failed_urls = 0;

  std::span<const KeyId> tried() const { return {tried_keys.data(), tried_count}; }
  // A key may be tried again with another URL; it counts once.
  void note_tried(KeyId key) {
    const auto known = tried();
    if (tried_count < kMostKeys && std::find(known.begin(), known.end(), key) == known.end())
      tried_keys[tried_count++] = key;
  }

  std::array<KeyId, kMostKeys> tried_keys = {};
  std::size_t tried_count = 0;
};

}  // namespace akr
