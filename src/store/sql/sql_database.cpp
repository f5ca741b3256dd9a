#include "store/sql/sql_database.hpp"

#include <atomic>

#include "base/log.hpp"
#include "store/sql/key_ids.hpp"
#include "store/sql/plain_keys.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sql/schema.hpp"
#include "store/sql/sql_config_store.hpp"
#include "store/sql/sql_key_pin_store.hpp"
#include "store/sql/sql_key_state_store.hpp"
#include "store/sql/sql_preparation.hpp"
#include "store/sql/sql_time.hpp"

namespace akr {
namespace {

constexpr std::size_t kProbeBytes = 64 << 10;
constexpr int kTries = 5;
constexpr std::chrono::milliseconds kTokenLife = std::chrono::hours(24);  // longer than clocks of nodes disagree

class SqlDatabase final : public Database {
 public:
  SqlDatabase(std::unique_ptr<SqlBackend> backend, const SqlSettings& settings)
      : backend_(std::move(backend)),
        reach_(settings.deadline),
        cipher_(settings.encryption_key),
        writer_(*backend_, limits(settings)),
        extra_(*backend_, is_server() ? one_session(limits(settings)) : SessionLimits{}),
        key_ids_(is_server() ? &extra_ : nullptr),
        config_({writer_, reader(), *backend_, key_ids_, cipher_, locked_, *settings.clock, settings.rest_total}),
        key_states_(writer_, reader(), *backend_, locked_),
        key_pins_(writer_, reader(), *backend_, locked_) {}

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
  bool is_server() const { return backend_->dialect().is_server; }
  SessionLimits limits(const SqlSettings& settings) const {
    if (!is_server()) return {};
    return {.most = settings.most_sessions,
            .deadline = settings.deadline,
            .tries = kTries,
            .patience = {.reach = settings.deadline, .lock = settings.deadline}};
  }
  static SessionLimits one_session(SessionLimits limits) {
    limits.most = 1;
    return limits;
  }
  SqlSessions& reader() { return is_server() ? writer_ : extra_; }
  bool probe(const std::string& value);
  bool is_being_filled();
  void forget_old_commits();

  std::unique_ptr<SqlBackend> backend_;
  const std::chrono::milliseconds reach_;  // until a session is connected
  KeyCipher cipher_;
  SqlSessions writer_;
  SqlSessions extra_;  // of a file: what reads; of a server: what gives out ids
  KeyIds key_ids_;
  std::atomic<bool> locked_ = false;
  SqlConfigStore config_;
  SqlKeyStateStore key_states_;
  SqlKeyPinStore key_pins_;
  std::atomic<std::int64_t> commits_forgotten_ = 0;  // when, in milliseconds since 1970
};

Result<void> SqlDatabase::prepare() {
  const auto fits = SqlPreparation(*backend_, cipher_, reach_).prepare();
  if (!fits) return fits.error();
  locked_ = !*fits;
  return {};
}

DatabaseState SqlDatabase::look() {
  const StorageState storage = writer_.check_storage();
  if (storage == StorageState::kLost) return DatabaseState::kLost;
  if (storage == StorageState::kUnreachable && is_server()) return DatabaseState::kAway;
  if (storage == StorageState::kUnreachable || backend_->storage_full()) return DatabaseState::kNotWritable;
  if (is_server() && is_being_filled()) return DatabaseState::kNotWritable;
  if (!writer_.write_failed()) {
    forget_old_commits();
    return DatabaseState::kOk;
  }
  return probe(std::string(kProbeBytes, '0')) && probe(to_sql_time(system_clock().wall(), backend_->dialect()))
             ? DatabaseState::kOk
             : DatabaseState::kNotWritable;
}

// By copy-database, which asks for an empty database and not whether somebody serves from it: nothing of ours is to get
// in between, or to be taken for a part of the copy.
bool SqlDatabase::is_being_filled() {
  const auto copying =
      reader().read([](soci::session& session) -> Result<bool> { return !read_meta(session, "copying").empty(); });
  if (!copying || *copying == locked_) return locked_;
  if (!*copying) return false;
  locked_ = true;
  log_error("database_taken", {{"message",
                                "copy-database fills this database while we run; nothing is written any more until the "
                                "next start"}});
  return true;
}

// A token is asked for within seconds, or never.
void SqlDatabase::forget_old_commits() {
  const std::int64_t now = system_clock().wall().time_since_epoch().count();
  if (!is_server() || locked_ || now - commits_forgotten_ < kTokenLife.count()) return;
  commits_forgotten_ = now;
  const long long before = now - kTokenLife.count();
  static_cast<void>(writer_.write([before](soci::session& session) -> Result<void> {
    run(session, "DELETE FROM akr_commits WHERE at_ms < :before", soci::use(before));
    return {};
  }));
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
  return reader().read([&](soci::session&) { return backend_->copy_to(path); });
}

Result<std::size_t> SqlDatabase::plain_copy_to(const std::string& path) {
  if (locked_) return Error{ErrorCode::kLocked, "The database was written with another encryption key."};
  if (auto copied = backup_to(path); !copied) return copied.error();
  try {
    const OpenedCopy copy = backend_->open_copy(path);
    run(*copy.session, backend_->dialect().begin_write);
    const std::size_t keys = open_keys_of_copy(*copy.session, cipher_);
    run(*copy.session, "COMMIT");
    return keys;
  } catch (const soci::soci_error& failure) {
    return backend_->explain(failure).error;
  }
}

Result<std::string> SqlDatabase::reset_tables() {
  auto copy = SqlPreparation(*backend_, cipher_, reach_).reset(locked_);
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
