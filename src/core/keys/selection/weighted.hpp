// weighted.hpp - smooth weighted round robin: 3:1 gives A A B A, not A A A B, and exactly 3:1 over each round (D31).
//
// Keys of equal weight form a class that takes turns inside as RoundRobin does; each class has a virtual time that
// advances by 1 / (weight x usable keys) per turn, and the class that is furthest behind goes next.  So a pick costs
// one look at each distinct weight, not at each key.
#pragma once

#include <array>
#include <vector>

#include "core/keys/selection/selection_policy.hpp"
#include "core/keys/selection/slot_set.hpp"

namespace akr {

class Weighted final : public SelectionPolicy {
 public:
  explicit Weighted(std::uint64_t seed) : seed_(seed) {}
  std::uint32_t pick(std::span<const KeyView> usable, Random& random) override;
  void resize(std::uint32_t slots) override;
  void entered(const KeyView& key) override;
  void left(const KeyView& key) override;
  std::unique_ptr<SelectionPolicy> clone() const override { return std::make_unique<Weighted>(*this); }

 private:
  struct Class {
    std::uint32_t weight = 0;
    std::uint32_t usable = 0;
    std::uint32_t cursor = 0;
    double behind_at = 0;  // virtual time of the class's next turn
    SlotSet members;
  };
  // A turn that is settled in advance, for foresight(), and how everything was before it.
  struct Turn {
    std::uint32_t slot = 0;
    std::uint32_t own_class = 0;  // index of its class
    std::uint32_t cursor = 0;
    double behind_at = 0;
    double now = 0;
  };
  void look_ahead(std::uint32_t turns);
  void take_back();  // all that look_ahead() did: the keys that share have changed
  Class& class_of(std::uint32_t weight);

  const std::uint64_t seed_;
  std::uint32_t slots_ = 0;
  double now_ = 0;  // virtual time of the last turn
  std::vector<Class> classes_;
  std::array<Turn, kTurnsAhead> ahead_ = {};
  std::uint32_t settled_ = 0;  // of ahead_
};

}  // namespace akr
