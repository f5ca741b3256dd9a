// pool_validation.hpp - background validation: whose turn it is, and a key taken for it whatever its state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "core/keys/pool/pool_tables.hpp"

namespace akr {

class PoolValidation {
 public:
  explicit PoolValidation(PoolTables& tables) : tables_(tables) {}

  // As KeyPool's due_for_validation(), lease_for_validation() and let_request_try().
  std::vector<KeyId> due(std::size_t limit, TimePoint now);
  Result<KeyClaim> take(KeyId id, TimePoint now);
  void let_request_try(KeyId id, TimePoint now);

  // When it is this key's turn next, as things are: every 5 min; invalid ones after 1 h, doubling to 24 h, and before
  // that after 10 s, 1 min and 10 min if asking is free.
  void schedule(KeyRecord& record, TimePoint now) const;
  void ask_soon(bool free_call) { free_call_ = free_call; }

 private:
  PoolTables& tables_;
  std::uint32_t cursor_ = 0;
  bool free_call_ = false;  // PoolSettings
};

}  // namespace akr
