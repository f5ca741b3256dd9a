#include "store/sql/sql_database.hpp"

#include <atomic>

#include "base/log.hpp"
#include "store/sql/schema.hpp"
#include "store/sql/sql_config_store.hpp"
#include "store/sql/sql_key_pin_store.hpp"
#include "store/sql/sql_key_state_store.hpp"

namespace akr {
namespace {

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
  Result<void> backup_to(const std::string& path) override;
  Result<std::string> reset_tables() override;

 private:
  Result<void> upgrade();
  Result<void> seal_plain_keys();

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
    if (state->version < kSchemaVersion) {
      return Error{ErrorCode::kLocked, "The database needs an upgrade, and the encryption key does not fit it."};
    }
    return {};
  }
  if (state->version < kSchemaVersion) {
    if (auto upgraded = upgrade(); !upgraded) return upgraded;
  }
  return seal_plain_keys();
}

Result<void> SqlDatabase::upgrade() {
  return writer_.write([&](soci::session& session) -> Result<void> {
    // Looked at again under the write lock: another process may have upgraded while we waited for it.
    const SchemaState state = inspect_schema(session, backend_->dialect(), cipher_);
    if (state.version >= kSchemaVersion) return {};
    if (state.has_tables) {
      const auto copy = backend_->keep_copy(std::to_string(state.version));
      if (!copy) return copy.error();
      log_warn("database_copied", {{"path", *copy},
                                   {"from_version", state.version},
                                   {"to_version", kSchemaVersion},
                                   {"message", "copy of the database before its upgrade; it may hold plain keys"}});
    }
    migrate_schema(session, backend_->dialect(), cipher_, state.version);
    return {};
  });
}

// A transaction of its own: if it fails or is killed, the next start finds the same plain rows.
Result<void> SqlDatabase::seal_plain_keys() {
  const auto plain = writer_.read([](soci::session& session) -> Result<int> {
    int count = 0;
    session << "SELECT count(*) FROM api_keys WHERE key_version = 0", soci::into(count);
    return count;
  });
  if (!plain) return plain.error();
  if (*plain == 0) return {};
  const auto swept = writer_.write(
      [&](soci::session& session) -> Result<KeyRows::Swept> { return KeyRows(cipher_).seal_plain(session); });
  if (!swept) return swept.error();
  log_info("keys_encrypted", {{"sealed", swept->sealed}, {"merged", swept->merged}, {"blank", swept->blank}});
  return writer_.read([&](soci::session& session) -> Result<void> {
    backend_->forget_old_pages(session);
    return {};
  });
}

Result<void> SqlDatabase::backup_to(const std::string& path) {
  return reader_.read([&](soci::session&) { return backend_->copy_to(path); });
}

Result<std::string> SqlDatabase::reset_tables() {
  auto copy = writer_.write([&](soci::session& session) -> Result<std::string> {
    auto kept = backend_->keep_copy("reset");
    if (!kept) return kept;
    drop_schema(session, backend_->dialect());
    migrate_schema(session, backend_->dialect(), cipher_, 0);
    return kept;
  });
  if (copy) locked_ = false;
  return copy;
}

}  // namespace

Result<std::unique_ptr<Database>> open_sql_database(std::unique_ptr<SqlBackend> backend, const SqlSettings& settings) {
  auto database = std::make_unique<SqlDatabase>(std::move(backend), settings);
  if (auto prepared = database->prepare(); !prepared) return prepared.error();
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace akr
