// selection_policy.hpp - picks one of the keys that may be used right now.
//
// Health, cooldown, limits and "already tried" are KeyPool's business: a policy never sees an unusable key.  The set
// of usable keys is kept incrementally: KeyPool announces each change, so a policy that needs an order keeps it up to
// date and never walks a large pool in pick().  Called with the pool's lock held; must not block or allocate, except
// in resize().
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/keys/selection/random_source.hpp"

namespace akr {

inline constexpr std::uint32_t kNoSlot = 0xffff'ffff;

// What a policy may know of a key.  `slot` is its place in the operator's order.  Never across two cache lines.
struct alignas(32) KeyView {
  std::uint32_t slot = 0;
  std::uint32_t weight = 1;     // never 0 here
  std::uint32_t in_flight = 0;  // attempts that run now
  float latency_ms = 0;         // peak EWMA of the time to the first byte; 0 = not known yet
  std::uint64_t turns = 0;  // times chosen; raised to the others' level when the key joins, so that it is not flooded
};

// What pick() is likely to return the next times, soonest first; kNoSlot where that is not known.  A hint, so that a
// large pool can have the keys' memory brought in meanwhile: a choice never depends on it.
inline constexpr std::uint32_t kTurnsAhead = 4;
using Foresight = std::array<std::uint32_t, kTurnsAhead>;
inline constexpr Foresight kNoForesight = {kNoSlot, kNoSlot, kNoSlot, kNoSlot};
// Pools with fewer keys are in the cache anyway.
inline constexpr std::uint32_t kWorthForesight = 4096;

class SelectionPolicy {
 public:
  virtual ~SelectionPolicy() = default;

  // The slot of one of `usable`.  REQUIRES: !usable.empty(), and `usable` is what was announced below.
  virtual std::uint32_t pick(std::span<const KeyView> usable, Random& random) = 0;

  // Slots are below `slots` from now on.  Nothing is usable until it is announced again.
  virtual void resize(std::uint32_t slots) { static_cast<void>(slots); }
  virtual void entered(const KeyView& key) { static_cast<void>(key); }  // became usable
  virtual void left(const KeyView& key) { static_cast<void>(key); }     // no longer is

  // For previews, which pick and then put the copy back: everything that pick(), left() and entered() move.  Allocates.
  virtual std::unique_ptr<SelectionPolicy> clone() const = 0;
  // A policy that draws lots: how likely it is to take `key`.  nullopt: it does not, the next pick() is settled.
  virtual std::optional<double> share(const KeyView& key, std::span<const KeyView> usable) const {
    static_cast<void>(key);
    static_cast<void>(usable);
    return std::nullopt;
  }

  // As of the last pick().
  const Foresight& foresight() const { return foresight_; }

 protected:
  Foresight foresight_ = kNoForesight;
};

}  // namespace akr
