#include "app/database_watch.hpp"

#include "base/log.hpp"

namespace akr {

DatabaseWatch::DatabaseWatch(Database& database, DatabaseKind kind, Operations& operations)
    : database_(database), kind_(kind), operations_(operations) {}

// What failed, and that the files are lost, the store logs itself.
void DatabaseWatch::look() {
  const DatabaseState now = database_.look();
  if (now == operations_.exchange_database(now)) return;
  if (now == DatabaseState::kOk) log_info("database_recovered");
  if (now != DatabaseState::kNotWritable) return;
  const std::string why = is_server(kind_) ? "the database server is away or takes no writes"
                                           : "the database takes no writes (is its disk full?)";
  log_warn("database_read_only", {{"message", why + "; requests are served from memory, changes are refused"}});
}

void DatabaseWatch::note(const Result<void>& written, std::atomic<bool>& owed, std::string_view event) {
  if (!written) look();
  const bool news = !written && !owed.exchange(true) && operations_.database() == DatabaseState::kOk;
  if (news) log_warn(event, {{"message", written.error().message}});
  if (written) owed = false;
}

void DatabaseWatch::note_key_states(const Result<void>& written) {
  note(written, states_owed_, "key_states_not_stored");
}

void DatabaseWatch::note_pins(const Result<void>& written) { note(written, pins_owed_, "pins_not_stored"); }

}  // namespace akr
