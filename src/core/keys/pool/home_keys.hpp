// home_keys.hpp - which keys of a tier come first for whoever makes things; remembered, because finding out means to
// look at every key of the pool.  Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "core/keys/home_rank.hpp"
#include "core/keys/pool/pool_tables.hpp"

namespace akr {

class HomeKeys {
 public:
  static constexpr std::size_t kFirst = 4;
  using First = std::array<std::uint32_t, kFirst>;  // slots, the best one first; kNowhere: there are no more

  explicit HomeKeys(const PoolTables& tables) : tables_(tables) {}

  // Of the keys that people let take part, usable now or not.  Good until the next call.  100,000 keys: 0.2 ms, once
  // after each change of the keys.
  const First& first(std::uint64_t home, std::uint16_t tier);
  HomeRank rank(std::uint64_t home, std::uint32_t slot) const {
    return home_rank(home, tables_.roster.account_of(slot), tables_.roster.slots[slot].id);
  }

 private:
  struct Known {
    std::uint64_t edition = 0;  // PoolTables::edition()
    First slots{};
  };
  First find(std::uint64_t home, std::uint16_t tier) const;

  const PoolTables& tables_;
  std::unordered_map<std::uint64_t, Known> known_;  // by home and tier
};

}  // namespace akr
