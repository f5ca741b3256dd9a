// database_watch.hpp - tells operators how the database is: /readyz at once, the log where that changes.
#pragma once

#include <atomic>

#include "app/operations.hpp"
#include "base/result.hpp"
#include "store/database.hpp"

namespace akr {

// Any thread.  Both outlive it.
class DatabaseWatch {
 public:
  DatabaseWatch(Database& database, Operations& operations);

  // To be called every second, so that /readyz tells within two.  Blocking.
  void look();

  // What came of writing what requests taught.  What the state of the database explains is not told again.
  void note_key_states(const Result<void>& written);
  void note_pins(const Result<void>& written);

 private:
  void note(const Result<void>& written, std::atomic<bool>& owed, std::string_view event);

  Database& database_;
  Operations& operations_;
  std::atomic<bool> states_owed_ = false;  // the last write failed
  std::atomic<bool> pins_owed_ = false;
};

}  // namespace akr
