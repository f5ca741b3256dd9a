// model_waits.hpp - health and pacing of (key or quota group, model) pairs.  Sparse: only pairs in trouble are stored.
//
// Bounded by kMost pairs: when it is full, pairs whose wait is long over go first, then any one - a pair that is
// forgotten costs one more 429, nothing else.  Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/pool/health.hpp"
#include "core/pool/key_claim.hpp"

namespace akr {

// A key by its id or a group by the hash of its name, told apart by the top bit.
struct PairOwner {
  std::uint64_t value = 0;
  static PairOwner of(KeyId key) { return {static_cast<std::uint64_t>(key.value) & ~kGroupBit}; }
  static PairOwner of_group(std::string_view name) { return {std::hash<std::string_view>()(name) | kGroupBit}; }
  friend bool operator==(PairOwner, PairOwner) = default;
  static constexpr std::uint64_t kGroupBit = 1ULL << 63;
};

struct ModelWait {
  Health health;
  TimePoint paced_until{};
  std::string model;  // for people; may be cut
};

class ModelWaits {
 public:
  static constexpr std::size_t kMost = 65'536;

  struct Pair {
    PairOwner owner;
    std::uint64_t model = 0;
    friend bool operator==(const Pair&, const Pair&) = default;
  };

  bool empty() const { return waits_.empty(); }
  std::size_t size() const { return waits_.size(); }
  ModelWait* find(PairOwner owner, std::uint64_t model) {
    const auto it = waits_.find({owner, model});
    return it == waits_.end() ? nullptr : &it->second;
  }
  // The pair's wait, made if there is none.  Allocates.
  ModelWait& open(PairOwner owner, const ModelTag& model, TimePoint now);
  void erase(PairOwner owner, std::uint64_t model) { waits_.erase({owner, model}); }
  void erase_all_of(PairOwner owner);
  void clear() { waits_.clear(); }

  template <class Visit>  // visit(const Pair&, ModelWait&)
  void for_each(Visit visit) {
    for (auto& [pair, wait] : waits_) visit(pair, wait);
  }

 private:
  struct PairHash {
    std::size_t operator()(const Pair& pair) const noexcept {
      return (pair.owner.value * 0x9e3779b97f4a7c15ULL) ^ (pair.model + (pair.owner.value >> 32));
    }
  };
  void make_room(TimePoint now);
  TimePoint next_sweep_{};
  std::unordered_map<Pair, ModelWait, PairHash> waits_;
};

}  // namespace akr
