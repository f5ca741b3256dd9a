// sql_key_state_store.hpp - KeyStateStore on any SQL database.
#pragma once

#include <atomic>

#include "store/key_state_store.hpp"
#include "store/sql/sql_connection.hpp"

namespace akr {

class SqlKeyStateStore final : public KeyStateStore {
 public:
  // All of them outlive the store.
  SqlKeyStateStore(SqlConnection& writer, SqlConnection& reader, const std::atomic<bool>& locked)
      : writer_(writer), reader_(reader), locked_(locked) {}

  Result<std::vector<KeyStateRecord>> load(ServiceId service) override;
  Result<void> save(ServiceId service, std::span<const KeyStateRecord> changed,
                    std::span<const KeyStateRecord> gone) override;

 private:
  SqlConnection& writer_;
  SqlConnection& reader_;
  const std::atomic<bool>& locked_;
};

}  // namespace akr
