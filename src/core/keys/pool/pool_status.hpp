// pool_status.hpp - the pool as people see it.  Only reads.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/keys/key_pool.hpp"
#include "core/keys/pool/pool_tables.hpp"

namespace akr {

class PoolStatus {
 public:
  explicit PoolStatus(const PoolTables& tables) : tables_(tables) {}

  // REQUIRES: all waits that are over have been ended (PoolTables::advance()).
  PoolCounts counts() const;
  // REQUIRES: `judgement` is the slot's, as refresh() just told.
  KeyStatus of(std::uint32_t slot, const PoolTables::Judgement& judgement) const;
  // Code of the last verdict that blamed it; "" = none.  The pool's storage.
  std::string_view reason(std::uint32_t slot) const;

 private:
  void add_model_waits(const ReadOnlyReach& reach, KeyStatus& status) const;

  const Health& worse_health(std::uint32_t slot) const;  // of the key's and its group's

  const PoolTables& tables_;
};

}  // namespace akr
