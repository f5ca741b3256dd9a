// slot_set.hpp - a set of slot numbers that finds the next member in a handful of steps, however sparse it is.
//
// A tree of bit words: bit i of a word on level k+1 is set if word i of level k is not 0.  One million slots are four
// levels.  Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace akr {

class SlotSet {
 public:
  void resize(std::uint32_t slots);  // and empties it
  void insert(std::uint32_t slot);   // REQUIRES: slot < slots; allocates nothing
  void erase(std::uint32_t slot);

  // The smallest member >= from.
  std::optional<std::uint32_t> next(std::uint32_t from) const;
  // As next(), from the beginning again if there is none.
  std::optional<std::uint32_t> next_cyclic(std::uint32_t from) const;

 private:
  std::vector<std::vector<std::uint64_t>> levels_;  // [0] holds one bit per slot; the last has one word
};

}  // namespace akr
