#include "store/sql/sql_preparation.hpp"

#include <string>
#include <thread>

#include "base/log.hpp"
#include "store/call_deadline.hpp"
#include "store/sql/first_tables.hpp"
#include "store/sql/key_rows.hpp"
#include "store/sql/plain_keys.hpp"
#include "store/sql/run_statement.hpp"

namespace akr {
namespace {

// A table of some 100,000 rows is altered in seconds, one of a careless neighbour in minutes.
constexpr std::chrono::hours kLock{1};
constexpr std::chrono::seconds kLockWait{5};
constexpr std::chrono::milliseconds kLockPause{50};

}  // namespace

SqlPreparation::SqlPreparation(SqlBackend& backend, const KeyCipher& cipher, std::chrono::milliseconds reach)
    : backend_(backend),
      cipher_(cipher),
      reach_(reach),
      session_(backend, {.most = 1, .patience = {.reach = reach, .lock = kLock}, .tells = false}) {}

// A server may fall silent in the middle of a start; without an upgrade that is noticed.
template <class Step>
auto SqlPreparation::in_time(Step step) {
  const CallDeadline short_step(std::chrono::steady_clock::now() + reach_);
  return step();
}

// What is only looked at ends in time; what alters tables takes as long as it takes.
Result<SchemaState> SqlPreparation::look() {
  const CallDeadline short_steps(std::chrono::steady_clock::now() + reach_ + kLockWait);
  const auto examined = session_.read([this](soci::session& session) { return backend_.examine(session); });
  if (!examined) return examined.error();
  if (auto locked = take_lock(); !locked) return locked.error();
  auto state = session_.read([this](soci::session& session) -> Result<SchemaState> {
    return inspect_schema(session, backend_.dialect(), cipher_);
  });
  is_new_ = state && !state->has_tables;
  return state;
}

Result<bool> SqlPreparation::prepare(Purpose purpose) {
  const auto state = look();
  if (!state) return state.error();
  if (auto readable = check_readable(*state); !readable) return readable.error();
  if (!state->key_fits) {
    log_error("storage_locked", {{"message", "the encryption key does not fit this database; nothing is changed"}});
    if (state->current()) return false;
    return Error{ErrorCode::kLocked, "The database needs an upgrade, and the encryption key does not fit it."};
  }
  if (!state->current()) {
    if (auto upgraded = upgrade(); !upgraded) return upgraded.error();
  }
  if (purpose == Purpose::kUse) {
    const auto may = check_rights();
    // A server that takes no writes just now: nothing else is to be done on it.
    if (!may && may.error().code == ErrorCode::kStoreUnavailable) return true;
    if (!may) return may.error();
  }
  if (auto sealed = seal_plain_keys(); !sealed) return sealed.error();
  remove_traces();
  tell_plain_neighbours();
  return true;
}

// Held by the session, until this object is gone.
Result<void> SqlPreparation::take_lock() {
  const std::string_view lock = backend_.dialect().lock_upgrade;
  if (lock.empty()) return {};
  for (const auto end = std::chrono::steady_clock::now() + kLockWait; std::chrono::steady_clock::now() < end;) {
    const auto taken = session_.read([lock](soci::session& session) -> Result<int> {
      int ours = 0;
      run(session, lock, soci::into(ours));
      return ours;
    });
    if (!taken) return taken.error();
    if (*taken == 1) return {};
    std::this_thread::sleep_for(kLockPause);
  }
  return Error{ErrorCode::kStoreUnavailable, "Another node is upgrading " + backend_.where() + "."};
}

Result<void> SqlPreparation::upgrade() {
  bool copied = false;
  for (const Migration& migration : migrations()) {
    // New tables are made in no time; how long old ones take nobody knows.
    const auto step = [&] { return make(migration, copied); };
    if (auto made = is_new_ ? in_time(step) : step(); !made) return made;
  }
  if (auto completed = complete(copied); !completed) return completed;
  return note_upgraded();
}

Result<void> SqlPreparation::note_upgraded() {
  return session_.write([](soci::session& session) -> Result<void> {
    if (!read_meta(session, kUpgradeCopy).empty()) write_meta(session, kUpgradeCopy, "");
    return {};
  });
}

// One transaction each: a process that is killed in any statement leaves the state before it, or, where the server
// commits each statement, one in which the same migration can be made again.
Result<void> SqlPreparation::make(const Migration& migration, bool& copied) {
  return session_.write([&](soci::session& session) -> Result<void> {
    // Looked at again under the write lock: another process may have upgraded while we waited for it.
    const SchemaState state = inspect_schema(session, backend_.dialect(), cipher_);
    if (state.version >= migration.number) return {};
    if (state.version == 0) {
      if (auto ours = check_first_tables(session, backend_.dialect()); !ours) return ours;
    }
    if (auto kept = keep_copy(session, state, copied); !kept) return kept;
    make_migration({session, backend_.dialect(), cipher_}, migration);
    return {};
  });
}

Result<void> SqlPreparation::complete(bool& copied) {
  return session_.write([&](soci::session& session) -> Result<void> {
    const SchemaState state = inspect_schema(session, backend_.dialect(), cipher_);
    if (state.current()) return {};
    if (auto kept = keep_copy(session, state, copied); !kept) return kept;
    complete_columns({session, backend_.dialect(), cipher_});
    return {};
  });
}

Result<void> SqlPreparation::keep_copy(soci::session& session, const SchemaState& state, bool& copied) {
  if (copied || !state.has_tables) {
    copied = true;  // what we made ourselves needs no copy
    return {};
  }
  const auto copy = backend_.keep_copy(session, std::to_string(state.version));
  if (!copy) return copy.error();
  copied = true;
  log_warn("database_copied", {{"path", *copy},
                               {"from_version", state.version},
                               {"to_version", kSchemaVersion},
                               {"message", "copy of the database before its upgrade; its keys are encrypted"}});
  return {};
}

// A server's account that may only read would be noticed at the first change.  What may pass (a server that is
// read-only for a while) does not stop the start: requests are served from memory.
Result<void> SqlPreparation::check_rights() {
  if (!backend_.dialect().is_server) return {};
  return in_time([&] {
    return session_.write([](soci::session& session) -> Result<void> {
      write_meta(session, "last_probe", "start");
      for (const char* table : {"api_keys", "proxy_configs", "key_states", "key_pins", "akr_commits"}) {
        run(session, "DELETE FROM " + std::string(table) + " WHERE 1 = 0");
        run(session, "INSERT INTO " + std::string(table) + " SELECT * FROM " + std::string(table) + " WHERE 1 = 0");
      }
      return {};
    });
  });
}

// A transaction of its own: if it fails or is killed, the next start finds the same plain rows.
Result<void> SqlPreparation::seal_plain_keys() {
  const auto plain = in_time([&] {
    return session_.read([](soci::session& session) -> Result<int> {
      int count = 0;
      run(session, "SELECT count(*) FROM api_keys WHERE key_version = 0", soci::into(count));
      return count;
    });
  });
  if (!plain) return plain.error();
  if (*plain == 0) return {};
  const auto swept = session_.write([this](soci::session& session) -> Result<KeyRows::Swept> {
    forget_scrubbed(session);
    return KeyRows(cipher_, backend_).seal_plain(session);
  });
  if (!swept) return swept.error();
  log_info("keys_encrypted", {{"sealed", swept->sealed}, {"merged", swept->merged}, {"blank", swept->blank}});
  return {};
}

// The text of keys that were plain once stays in free pages, in the log of writes and in copies.  A mark in the
// database says that all of it is gone; without it, after a kill or on a full disk, the next start does it again.
void SqlPreparation::remove_traces() {
  const auto done = in_time(
      [&] { return session_.read([](soci::session& session) -> Result<bool> { return is_scrubbed(session); }); });
  if (done && *done) return;
  auto scrubbed = scrub();
  if (scrubbed) {
    scrubbed = session_.write([](soci::session& session) -> Result<void> {
      note_scrubbed(session);
      return {};
    });
  }
  if (scrubbed) return;
  log_error("plain_keys_may_remain",
            {{"message",
              "keys are encrypted, but their plain text may still be in unused parts of the database or in its copies; "
              "the next start tries again: " +
                  scrubbed.error().message}});
}

Result<void> SqlPreparation::scrub() {
  const auto copies = session_.read(
      [this](soci::session& session) -> Result<std::vector<std::string>> { return backend_.kept_copies(session); });
  if (!copies) return copies.error();
  auto own = session_.read([this](soci::session& session) { return backend_.scrub(session, ""); });
  if (!own) return own;
  for (const std::string& name : *copies) {
    if (auto copy = scrub_copy(name); !copy) return copy;
  }
  return {};
}

Result<void> SqlPreparation::scrub_copy(const std::string& name) {
  try {
    OpenedCopy copy = backend_.open_copy(name);
    run(*copy.session, backend_.dialect().begin_write);
    // One that was written with another encryption key is not mixed with ours.
    if (backend_.dialect().is_server || inspect_schema(*copy.session, backend_.dialect(), cipher_).key_fits) {
      seal_keys_of_copy(copy, backend_.dialect(), cipher_);
    }
    run(*copy.session, "COMMIT");
    return backend_.scrub(*copy.session, copy.prefix);
  } catch (const soci::soci_error& failure) {
    return Error{ErrorCode::kStoreUnavailable,
                 "The copy " + name + " cannot be rewritten: " + backend_.explain(failure).error.message};
  }
}

// Copies that people or other programs made are theirs: not touched, but not passed over in silence either.
void SqlPreparation::tell_plain_neighbours() {
  std::string names;
  for (const std::string& path : backend_.plain_neighbours()) names += (names.empty() ? "" : ", ") + path;
  if (names.empty()) return;
  log_warn("plain_keys_beside_database", {{"files", names},
                                          {"message",
                                           "these databases hold API keys in plain text; remove them once they are not "
                                           "needed any more, or keep them where nobody else can read them"}});
}

Result<std::string> SqlPreparation::reset(bool locked) {
  if (auto taken = take_lock(); !taken) return taken.error();
  auto copy = session_.write([&](soci::session& session) -> Result<std::string> {
    auto kept = backend_.keep_copy(session, kReset);
    if (!kept) return kept;
    const bool scrubbed = !locked && is_scrubbed(session);
    drop_schema(session, backend_.dialect());
    const MigrationStep step{session, backend_.dialect(), cipher_};
    for (const Migration& migration : migrations()) make_migration(step, migration);
    complete_columns(step);
    if (!scrubbed) forget_scrubbed(session);
    return kept;
  });
  if (copy) remove_traces();
  return copy;
}

}  // namespace akr
