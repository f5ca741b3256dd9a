#include "app/database_watch.hpp"

#include "base/log.hpp"

namespace akr {

DatabaseWatch::DatabaseWatch(Database& database, Operations& operations)
    : database_(database), operations_(operations) {}

// What failed, and that the files are lost, the store logs itself.
void DatabaseWatch::look() {
  const DatabaseState now = database_.look();
  if (now == operations_.exchange_database(now)) return;
  if (now == DatabaseState::kOk) log_info("database_recovered");
  constexpr std::string_view kMeanwhile = "; requests are served from memory, changes are refused";
  if (now == DatabaseState::kAway) {
    log_warn("database_away", {{"message", "the database server does not answer" + std::string(kMeanwhile)}});
  }
  if (now == DatabaseState::kNotWritable) {
    log_warn("database_read_only",
             {{"message", "the database takes no writes (is its disk full?)" + std::string(kMeanwhile)}});
  }
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
