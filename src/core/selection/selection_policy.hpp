// selection_policy.hpp - picks one of the keys that may be used right now.
//
// Health, cooldown, limits and "already tried" are KeyPool's business: a policy never sees an unusable key.  The set
// of usable keys is kept incrementally: KeyPool announces each change, so a policy that needs an order keeps it up to
// date and never walks a large pool in pick().  Called with the pool's lock held; must not block or allocate, except
// in resize().
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/selection/random_source.hpp"

namespace akr {

// What a policy may know of a key.  `slot` is its place in the operator's order.
struct KeyView {
  std::uint32_t slot = 0;
  std::uint32_t weight = 1;     // never 0 here
  std::uint32_t in_flight = 0;  // attempts that run now
  float latency_ms = 0;         // peak EWMA of the time to the first byte; 0 = not known yet
  std::uint64_t turns = 0;  // times chosen; raised to the others' level when the key joins, so that it is not flooded
};

class SelectionPolicy {
 public:
  virtual ~SelectionPolicy() = default;

  // The slot of one of `usable`.  REQUIRES: !usable.empty(), and `usable` is what was announced below.
  virtual std::uint32_t pick(std::span<const KeyView> usable, Random& random) = 0;

  // Slots are below `slots` from now on.  Nothing is usable until it is announced again.
  virtual void resize(std::uint32_t slots) { static_cast<void>(slots); }
  virtual void entered(const KeyView& key) { static_cast<void>(key); }  // became usable
  virtual void left(const KeyView& key) { static_cast<void>(key); }     // no longer is

  // For previews, which pick and then undo it: everything that pick(), left() and entered() move besides who is usable.
  // May allocate.  REQUIRES for restore(): the keys that were usable at remember() are usable again.
  using Memory = std::vector<double>;
  virtual Memory remember() const { return {}; }
  virtual void restore(const Memory& memory) { static_cast<void>(memory); }
  // A policy that draws lots: how likely it is to take `key`.  nullopt: it does not, the next pick() is settled.
  virtual std::optional<double> share(const KeyView& key, std::span<const KeyView> usable) const {
    static_cast<void>(key);
    static_cast<void>(usable);
    return std::nullopt;
  }
};

}  // namespace akr
