// weighted.hpp - smooth weighted round robin: 3:1 gives A A B A, not A A A B, and exactly 3:1 over each round (D31).
//
// Keys of equal weight form a class that takes turns inside as RoundRobin does; each class has a virtual time that
// advances by 1 / (weight x usable keys) per turn, and the class that is furthest behind goes next.  So a pick costs
// one look at each distinct weight, not at each key.
#pragma once

#include <vector>

#include "core/selection/selection_policy.hpp"
#include "core/selection/slot_set.hpp"

namespace akr {

class Weighted final : public SelectionPolicy {
 public:
  explicit Weighted(std::uint64_t seed) : seed_(seed) {}
  std::uint32_t pick(std::span<const KeyView> usable, Random& random) override;
  void resize(std::uint32_t slots) override;
  void entered(const KeyView& key) override;
  void left(const KeyView& key) override;
  Memory remember() const override;
  void restore(const Memory& memory) override;

 private:
  struct Class {
    std::uint32_t weight = 0;
    std::uint32_t usable = 0;
    std::uint32_t cursor = 0;
    double behind_at = 0;  // virtual time of the class's next turn
    SlotSet members;
  };
  Class& class_of(std::uint32_t weight);

  const std::uint64_t seed_;
  std::uint32_t slots_ = 0;
  double now_ = 0;  // virtual time of the last turn
  std::vector<Class> classes_;
};

}  // namespace akr
