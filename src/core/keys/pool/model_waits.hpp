// model_waits.hpp - health and pacing of (key or quota group, model) pairs.  Sparse: only pairs in trouble are stored.
//
// Bounded by kMost pairs: when it is full, pairs whose wait is long over go first, then any one - a pair that is
// forgotten costs one more 429, nothing else.  Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/keys/pool/health.hpp"
#include "core/keys/pool/key_claim.hpp"

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

// What a wait says now: to a request for the model, and to people in the same words.
struct ModelHold {
  bool holds = false;            // the model may not be asked for
  bool hopeless = false;         // it is not waited for but lacking: see Verdict
  bool by_clock = false;         // `until` is a time and lies ahead, rather than when an attempt ends
  TimePoint until{};             // when it may be asked for again
  std::string_view reason = {};  // of the verdict, or "paced"; static storage
};
ModelHold hold_of(const ModelWait& wait, TimePoint now);

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
    return it == waits_.end() ? nullptr : &it->second.wait;
  }
  // The pair's wait, made if there is none.  Allocates.
  ModelWait& open(PairOwner owner, const ModelTag& model, TimePoint now);
  void erase(PairOwner owner, std::uint64_t model);
  void erase_all_of(PairOwner owner);
  void clear();

  const ModelWait* find(PairOwner owner, std::uint64_t model) const {
    const auto it = waits_.find({owner, model});
    return it == waits_.end() ? nullptr : &it->second.wait;
  }

  template <class Visit>  // visit(const Pair&, ModelWait&)
  void for_each(Visit visit) {
    for (auto& [pair, entry] : waits_) visit(pair, entry.wait);
  }
  // Those of one owner, at most `most` of them; visit(const ModelWait&).  Costs nothing for the
  // others.
  template <class Visit>
  void for_each_of(PairOwner owner, std::size_t most, Visit visit) const {
    const auto first = first_of_.find(owner.value);
    const Node* node = first == first_of_.end() ? nullptr : first->second;
    for (; node != nullptr && most > 0; node = node->second.next, --most) visit(node->second.wait);
  }
  // A walk in parts, between which waits may come and go: each wait that stays has the same place below places() all
  // the time.  Calls visit(const Pair&, const ModelWait&) if there is one at `place`.
  std::size_t places() const { return places_.size(); }
  template <class Visit>
  void visit_place(std::size_t place, Visit visit) const {
    if (const Node* node = places_[place]) visit(node->first, node->second.wait);
  }

 private:
  struct PairHash {
    std::size_t operator()(const Pair& pair) const noexcept {
      return (pair.owner.value * 0x9e3779b97f4a7c15ULL) ^ (pair.model + (pair.owner.value >> 32));
    }
  };
  struct Entry;
  using Node = std::pair<const Pair, Entry>;  // its address stays while it is in the map
  struct Entry {
    ModelWait wait;
    Node* before = nullptr;  // of the same owner
    Node* next = nullptr;
    std::uint32_t place = 0;
  };
  using Map = std::unordered_map<Pair, Entry, PairHash>;

  void make_room(TimePoint now);
  void link(Node& node);
  Map::iterator remove(Map::iterator at);

  TimePoint next_sweep_{};
  Map waits_;
  std::unordered_map<std::uint64_t, Node*> first_of_;  // by owner
  std::vector<Node*> places_;                          // nullptr: free
  std::vector<std::uint32_t> free_;                    // places
};

}  // namespace akr
