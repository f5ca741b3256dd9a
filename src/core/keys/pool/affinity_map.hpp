// affinity_map.hpp - which key a conversation used last (D22).  Kept for 300 s after the last use, at most 100,000 of
// them, the longest unused goes first.  Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "base/large_vector.hpp"
#include "core/ids.hpp"
#include "core/keys/pool/flat_index.hpp"

namespace akr {

class AffinityMap {
 public:
  static constexpr std::size_t kMost = 100'000;
  static constexpr Duration kTimeToLive = std::chrono::seconds(300);

  struct Place {
    KeyId key;
    std::uint32_t slot = 0;  // where the key was then: a hint
    friend bool operator==(const Place&, const Place&) = default;
  };

  std::optional<Place> find(std::uint64_t conversation, TimePoint now) const;
  void touch(std::uint64_t conversation, TimePoint now);  // a use; nothing if it is not known
  void pin(std::uint64_t conversation, const Place& place, TimePoint now);
  std::size_t size() const { return index_.size(); }

 private:
  static constexpr std::uint32_t kNone = FlatIndex::kNone;
  struct Entry {
    std::uint64_t conversation = 0;
    Place place;
    TimePoint used{};
    std::uint32_t newer = kNone;
    std::uint32_t older = kNone;
  };
  void unlink(std::uint32_t i);
  void push_newest(std::uint32_t i);
  void move_to_newest(std::uint32_t i);

  FlatIndex index_;
  LargeVector<Entry> entries_;  // a list through `newer` and `older`; grows to kMost, then places are used again
  std::uint32_t newest_ = kNone;
  std::uint32_t oldest_ = kNone;
};

}  // namespace akr
