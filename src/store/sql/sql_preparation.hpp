// sql_preparation.hpp - what a start does with a database before anybody uses it: looks at it, upgrades it, seals what
// is still plain, and removes its traces.  One process at a time; a server's lock keeps other nodes waiting.
#pragma once

#include <chrono>
#include <string>

#include "base/result.hpp"
#include "store/key_cipher.hpp"
#include "store/sql/migrations.hpp"
#include "store/sql/schema.hpp"
#include "store/sql/sql_backend.hpp"
#include "store/sql/sql_sessions.hpp"

namespace akr {

enum class Purpose { kUse, kRead };

class SqlPreparation {
 public:
  // All of them outlive it.  With a session of its own, which waits for long statements; `reach`: until it is
  // connected.
  SqlPreparation(SqlBackend& backend, const KeyCipher& cipher, std::chrono::milliseconds reach);

  // True: ready.  False: the encryption key does not fit, and nothing was changed.  kRead: an account that may only
  // read is enough where nothing is to be upgraded.
  Result<bool> prepare(Purpose purpose = Purpose::kUse);
  // A copy, then empty tables; returns the copy's name.
  Result<std::string> reset(bool locked);
  // The parts of it, for the target of a copy: what is there, and the tables brought up to date.
  Result<SchemaState> look();
  Result<void> upgrade();

 private:
  template <class Step>
  auto in_time(Step step);
  Result<void> take_lock();
  Result<void> note_upgraded();
  Result<void> make(const Migration& migration, bool& copied);
  Result<void> keep_copy(soci::session& session, const SchemaState& state, bool& copied);
  Result<void> complete(bool& copied);
  Result<void> check_rights();
  Result<void> seal_plain_keys();
  void remove_traces();
  Result<void> scrub();
  Result<void> scrub_copy(const std::string& name);
  void tell_plain_neighbours();

  SqlBackend& backend_;
  const KeyCipher& cipher_;
  const std::chrono::milliseconds reach_;
  SqlSessions session_;
  bool is_new_ = false;  // look() found no tables
};

}  // namespace akr
