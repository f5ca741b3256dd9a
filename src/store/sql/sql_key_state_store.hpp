// sql_key_state_store.hpp - KeyStateStore on any SQL database.
#pragma once

#include <atomic>

#include "store/key_state_store.hpp"
#include "store/sql/sql_sessions.hpp"

namespace akr {

class SqlKeyStateStore final : public KeyStateStore {
 public:
  // All of them outlive the store.
  SqlKeyStateStore(SqlSessions& writer, SqlSessions& reader, const SqlBackend& backend, const std::atomic<bool>& locked)
      : writer_(writer), reader_(reader), backend_(backend), locked_(locked) {}

  Result<std::vector<KeyStateRecord>> load(ServiceId service) override;
  Result<void> save(ServiceId service, std::span<const KeyStateRecord> changed,
                    std::span<const KeyStateRecord> gone) override;

 private:
  SqlSessions& writer_;
  SqlSessions& reader_;
  const SqlBackend& backend_;
  const std::atomic<bool>& locked_;
};

}  // namespace akr
