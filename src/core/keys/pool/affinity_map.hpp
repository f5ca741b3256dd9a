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

  // Where the key's memory was when the conversation was last pinned: a guess, so that it can be brought in.
  struct Hint {
    std::uint32_t slot = 0;
    std::uint32_t ready = 0;  // position in its tier's ReadyKeys
  };

  // What one line of memory tells, before find(), whose memory is then on its way.  nullopt: not known.
  std::optional<Hint> glance(std::uint64_t conversation) const;
  std::optional<Place> find(std::uint64_t conversation, TimePoint now) const;
  void touch(std::uint64_t conversation, TimePoint now);  // a use; nothing if it is not known
  void pin(std::uint64_t conversation, const Place& place, TimePoint now, std::uint32_t ready = 0);
  std::size_t size() const { return index_.size(); }

 private:
  using Index = BasicFlatIndex<Hint>;
  static constexpr std::uint32_t kNone = Index::kNone;
  struct alignas(32) Entry {  // never across two cache lines; the slot is the note in the index
    std::uint64_t conversation = 0;
    KeyId key;
    TimePoint used{};
    std::uint32_t newer = kNone;
    std::uint32_t older = kNone;
  };
  void unlink(std::uint32_t i);
  void push_newest(std::uint32_t i);
  void move_to_newest(std::uint32_t i);

  Index index_;
  LargeVector<Entry> entries_;  // a list through `newer` and `older`; grows to kMost, then places are used again
  std::uint32_t newest_ = kNone;
  std::uint32_t oldest_ = kNone;
};

}  // namespace akr
