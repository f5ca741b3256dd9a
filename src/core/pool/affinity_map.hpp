// affinity_map.hpp - which key a conversation used last (D22).  Kept for 300 s after the last use, at most 100,000 of
// them, the longest unused goes first.  Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "core/ids.hpp"

namespace akr {

class AffinityMap {
 public:
  static constexpr std::size_t kMost = 100'000;
  static constexpr Duration kTimeToLive = std::chrono::seconds(300);

  std::optional<KeyId> find(std::uint64_t conversation, TimePoint now) const;
  void touch(std::uint64_t conversation, TimePoint now);  // a use; nothing if it is not known
  void pin(std::uint64_t conversation, KeyId key, TimePoint now);
  std::size_t size() const { return index_.size(); }

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;
  struct Entry {
    std::uint64_t conversation = 0;
    KeyId key;
    TimePoint used{};
    std::uint32_t newer = kNone;
    std::uint32_t older = kNone;
  };
  void unlink(std::uint32_t i);
  void push_newest(std::uint32_t i);

  std::unordered_map<std::uint64_t, std::uint32_t> index_;
  std::vector<Entry> entries_;  // a list through `newer` and `older`; grows to kMost, then places are used again
  std::uint32_t newest_ = kNone;
  std::uint32_t oldest_ = kNone;
};

}  // namespace akr
