#include "store/sql/sql_database.hpp"

#include <atomic>

#include "base/log.hpp"
#include "store/sql/plain_keys.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sql/schema.hpp"
#include "store/sql/sql_config_store.hpp"
#include "store/sql/sql_key_pin_store.hpp"
#include "store/sql/sql_key_state_store.hpp"
#include "store/sql/sql_time.hpp"

namespace akr {
namespace {

constexpr std::size_t kProbeBytes = 64 << 10;

class SqlDatabase final : public Database {
 public:
  SqlDatabase(std::unique_ptr<SqlBackend> backend, const SqlSettings& settings)
      : backend_(std::move(backend)),
        cipher_(settings.encryption_key),
        writer_(*backend_),
        reader_(*backend_),
        config_({writer_, reader_, cipher_, locked_, *settings.clock, settings.rest_total}),
        key_states_(writer_, reader_, locked_),
        key_pins_(writer_, reader_, locked_) {}

  Result<void> prepare();

  ConfigStore& config() override { return config_; }
  KeyStateStore& key_states() override { return key_states_; }
  KeyPinStore& key_pins() override { return key_pins_; }
  bool locked() const override { return locked_; }
  DatabaseState look() override;
  Result<void> backup_to(const std::string& path) override;
  Result<std::size_t> plain_copy_to(const std::string& path) override;
  Result<std::string> reset_tables() override;

 private:
  Result<void> upgrade();
  Result<void> seal_plain_keys();
  void remove_traces();
  Result<void> scrub();
  Result<void> scrub_copy(const std::string& path);
  void tell_plain_neighbours();
  bool probe(const std::string& value);

  std::unique_ptr<SqlBackend> backend_;
  KeyCipher cipher_;
  SqlConnection writer_;
  SqlConnection reader_;
  std::atomic<bool> locked_ = false;
  SqlConfigStore config_;
  SqlKeyStateStore key_states_;
  SqlKeyPinStore key_pins_;
};

Result<void> SqlDatabase::prepare() {
  const auto state = writer_.read([&](soci::session& session) -> Result<SchemaState> {
    return inspect_schema(session, backend_->dialect(), cipher_);
  });
  if (!state) return state.error();
  if (state->oldest_reader > kSchemaVersion) {
    return Error{ErrorCode::kUnsupported, "The database was written by a newer version that this one cannot read."};
  }
  locked_ = !state->key_fits;
  if (locked_) {
    log_error("storage_locked", {{"message", "the encryption key does not fit this database; nothing is changed"}});
    if (!state->current()) {
      return Error{ErrorCode::kLocked, "The database needs an upgrade, and the encryption key does not fit it."};
    }
    return {};
  }
  if (!state->current()) {
    if (auto upgraded = upgrade(); !upgraded) return upgraded;
  }
  if (auto sealed = seal_plain_keys(); !sealed) return sealed;
  remove_traces();
  tell_plain_neighbours();
  return {};
}

Result<void> SqlDatabase::upgrade() {
  return writer_.write([&](soci::session& session) -> Result<void> {
    // Looked at again under the write lock: another process may have upgraded while we waited for it.
    const SchemaState state = inspect_schema(session, backend_->dialect(), cipher_);
    if (state.current()) return {};
    if (state.has_tables) {
      const auto copy = backend_->keep_copy(std::to_string(state.version));
      if (!copy) return copy.error();
      log_warn("database_copied", {{"path", *copy},
                                   {"from_version", state.version},
                                   {"to_version", kSchemaVersion},
                                   {"message", "copy of the database before its upgrade; its keys are encrypted"}});
    }
    migrate_schema(session, backend_->dialect(), cipher_, state.version);
    return {};
  });
}

// A transaction of its own: if it fails or is killed, the next start finds the same plain rows.
Result<void> SqlDatabase::seal_plain_keys() {
  const auto plain = writer_.read([](soci::session& session) -> Result<int> {
    int count = 0;
    run(session, "SELECT count(*) FROM api_keys WHERE key_version = 0", soci::into(count));
    return count;
  });
  if (!plain) return plain.error();
  if (*plain == 0) return {};
  const auto swept = writer_.write([&](soci::session& session) -> Result<KeyRows::Swept> {
    forget_scrubbed(session);
    return KeyRows(cipher_).seal_plain(session);
  });
  if (!swept) return swept.error();
  log_info("keys_encrypted", {{"sealed", swept->sealed}, {"merged", swept->merged}, {"blank", swept->blank}});
  return {};
}

// The text of keys that were plain once stays in free pages, in the log of writes and in copies.  A mark in the
// database says that all of it is gone; without it, after a kill or on a full disk, the next start does it again.
void SqlDatabase::remove_traces() {
  const auto done = writer_.read([](soci::session& session) -> Result<bool> { return is_scrubbed(session); });
  if (done && *done) return;
  auto scrubbed = scrub();
  if (scrubbed) {
    scrubbed = writer_.write([](soci::session& session) -> Result<void> {
      note_scrubbed(session);
      return {};
    });
  }
  if (scrubbed) return;
  log_error("plain_keys_may_remain",
            {{"message",
              "keys are encrypted, but their plain text may still be in unused parts of the database file or "
              "in its .bak-* copies; the next start tries again: " +
                  scrubbed.error().message}});
}

Result<void> SqlDatabase::scrub() {
  auto own = writer_.read([&](soci::session& session) { return backend_->scrub(session); });
  if (!own) return own;
  for (const std::string& path : backend_->kept_copies()) {
    if (auto copy = scrub_copy(path); !copy) return copy;
  }
  return {};
}

Result<void> SqlDatabase::scrub_copy(const std::string& path) {
  try {
    const auto session = backend_->open_copy(path);
    run(*session, backend_->dialect().begin_write);
    // One that was written with another encryption key is not mixed with ours.
    if (inspect_schema(*session, backend_->dialect(), cipher_).key_fits) {
      seal_keys_of_copy(*session, backend_->dialect(), cipher_);
    }
    run(*session, "COMMIT");
    return backend_->scrub(*session);
  } catch (const soci::soci_error& failure) {
    return Error{ErrorCode::kStoreUnavailable,
                 "The copy " + path + " cannot be rewritten: " + backend_->explain(failure).error.message};
  }
}

// Copies that people or other programs made are theirs: not touched, but not passed over in silence either.
void SqlDatabase::tell_plain_neighbours() {
  std::string names;
  for (const std::string& path : backend_->plain_neighbours()) names += (names.empty() ? "" : ", ") + path;
  if (names.empty()) return;
  log_warn("plain_keys_beside_database", {{"files", names},
                                          {"message",
                                           "these databases hold API keys in plain text; remove them once they are not "
                                           "needed any more, or keep them where nobody else can read them"}});
}

DatabaseState SqlDatabase::look() {
  const StorageState storage = writer_.check_storage();
  if (storage == StorageState::kLost) return DatabaseState::kLost;
  if (storage == StorageState::kUnreachable || backend_->storage_full()) return DatabaseState::kNotWritable;
  if (!writer_.write_failed()) return DatabaseState::kOk;
  return probe(std::string(kProbeBytes, '0')) && probe(to_sql_time(system_clock().wall()))
             ? DatabaseState::kOk
             : DatabaseState::kNotWritable;
}

// As large as a usual write, so that it does not find room where those do not.
bool SqlDatabase::probe(const std::string& value) {
  const auto tried = writer_.write([&value](soci::session& session) -> Result<void> {
    write_meta(session, "last_probe", value);
    return {};
  });
  return tried.has_value();
}

Result<void> SqlDatabase::backup_to(const std::string& path) {
  return reader_.read([&](soci::session&) { return backend_->copy_to(path); });
}

Result<std::size_t> SqlDatabase::plain_copy_to(const std::string& path) {
  if (locked_) return Error{ErrorCode::kLocked, "The database was written with another encryption key."};
  if (auto copied = backup_to(path); !copied) return copied.error();
  try {
    const auto session = backend_->open_copy(path);
    run(*session, backend_->dialect().begin_write);
    const std::size_t keys = open_keys_of_copy(*session, cipher_);
    run(*session, "COMMIT");
    return keys;
  } catch (const soci::soci_error& failure) {
    return backend_->explain(failure).error;
  }
}

Result<std::string> SqlDatabase::reset_tables() {
  auto copy = writer_.write([&](soci::session& session) -> Result<std::string> {
    auto kept = backend_->keep_copy("reset");
    if (!kept) return kept;
    const bool scrubbed = !locked_ && is_scrubbed(session);
    drop_schema(session, backend_->dialect());
    migrate_schema(session, backend_->dialect(), cipher_, 0);
    if (!scrubbed) forget_scrubbed(session);
    return kept;
  });
  if (!copy) return copy;
  locked_ = false;
  remove_traces();
  return copy;
}

}  // namespace

Result<std::unique_ptr<Database>> open_sql_database(std::unique_ptr<SqlBackend> backend, const SqlSettings& settings) {
  auto database = std::make_unique<SqlDatabase>(std::move(backend), settings);
  if (auto prepared = database->prepare(); !prepared) return prepared.error();
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace akr
