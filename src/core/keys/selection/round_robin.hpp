// round_robin.hpp - the keys in the operator's order, one after the other, again and again.
//
// Exactly fair (D09): the cursor is the place of the key that was chosen last, not a number modulo the count, so a key
// that is skipped hands its share to all others and not to its neighbour.
#pragma once

#include <array>

#include "core/keys/selection/selection_policy.hpp"
#include "core/keys/selection/slot_set.hpp"

namespace akr {

class RoundRobin final : public SelectionPolicy {
 public:
  explicit RoundRobin(std::uint64_t seed) : seed_(seed) {}
  std::uint32_t pick(std::span<const KeyView> usable, Random& random) override;
  void resize(std::uint32_t slots) override;
  void entered(const KeyView& key) override;
  void left(const KeyView& key) override;
  std::unique_ptr<SelectionPolicy> clone() const override { return std::make_unique<RoundRobin>(*this); }

 private:
  // Settles `turns` of the coming turns, as the set is now; when it changes they are taken back.
  void look_ahead(std::uint32_t turns);

  const std::uint64_t seed_;  // where the first round starts, so that restarts do not all hit the first key
  bool started_ = false;
  std::uint32_t cursor_ = 0;  // behind the key that was chosen last
  bool large_ = false;
  std::array<std::uint32_t, kTurnsAhead> ahead_ = {};
  std::uint32_t settled_ = 0;  // of ahead_
  SlotSet usable_;
};

}  // namespace akr
