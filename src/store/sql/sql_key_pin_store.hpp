// sql_key_pin_store.hpp - KeyPinStore on any SQL database.
#pragma once

#include <atomic>

#include "store/key_pin_store.hpp"
#include "store/sql/sql_sessions.hpp"

namespace akr {

class SqlKeyPinStore final : public KeyPinStore {
 public:
  // All of them outlive the store.
  SqlKeyPinStore(SqlSessions& writer, SqlSessions& reader, const SqlBackend& backend, const std::atomic<bool>& locked)
      : writer_(writer), reader_(reader), backend_(backend), locked_(locked) {}

  Result<std::vector<KeyPin>> load(WallTime now, std::size_t most) override;
  Result<void> save(std::span<const KeyPin> pins) override;
  Result<std::size_t> remove_before(WallTime time, std::size_t most) override;

 private:
  SqlSessions& writer_;
  SqlSessions& reader_;
  const SqlBackend& backend_;
  const std::atomic<bool>& locked_;
};

}  // namespace akr
