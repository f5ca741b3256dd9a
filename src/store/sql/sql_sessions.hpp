// sql_sessions.hpp - sessions with a database, each used by one thread at a time, with transactions that cannot be
// forgotten.
//
// One session for a file, some for a server.  A transaction that a server broke off before its COMMIT - a deadlock, a
// session that was cut - is begun anew, with another session where need be.  If the COMMIT itself was not answered
// nobody knows what became of it: the transaction therefore left a token in akr_commits, and is begun anew with the
// same one.  Where the token is already there it was committed, and is not done twice.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "store/call_deadline.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sql/session_watchdog.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

enum class StorageState { kHolds, kLost, kUnreachable };

struct SessionLimits {
  std::size_t most = 1;                   // sessions at once; others wait
  std::chrono::milliseconds deadline{0};  // of one call with all its tries; 0: as long as it takes
  int tries = 1;                          // of a transaction
  SessionPatience patience = {};
  bool tells = true;  // logs failures; whoever hands them on to a person at once does not
};

// What a call is about to do.
struct SqlErrand {
  std::size_t rows = 0;  // that it reads or writes: many take longer
  bool once = false;     // a second time would not do the same: leaves a token
};

// Any thread may call.
class SqlSessions {
 public:
  using Time = std::chrono::steady_clock::time_point;

  SqlSessions(SqlBackend& backend, const SessionLimits& limits);

  // work(soci::session&) -> Result<T>, in one write transaction: committed if it returned a value, else rolled back.
  // It may be called several times, and must do the same each time.  Driver exceptions become errors; others (no
  // memory) pass, after what was begun is undone.  What was committed is a success only if the files are still those
  // that the next start will open.
  template <class Work>
  auto write(Work work, const SqlErrand& errand = {}) -> decltype(work(std::declval<soci::session&>())) {
    Call call(*this, errand);
    decltype(work(std::declval<soci::session&>())) result = Error{};  // of the last try
    for (;;) {
      auto taken = take(call);
      if (!taken) return taken.error();
      Turn& turn = **taken;
      try {
        if (!holds(turn)) return lost();
        run(turn.session(), backend_.dialect().begin_write);
        if (call.leaves_token() && !leave_token(turn, call)) return result;
        result = work(turn.session());
        run(turn.session(), (result ? "COMMIT" : "ROLLBACK"));
        if (!holds(turn)) return lost();
        wrote(turn);
        return result;
      } catch (const soci::soci_error& failure) {
        const SqlFailure what = failed(turn, failure);
        if (!what.passes || !call.may_try_again()) return give_up(call, what, Access::kWrite);
        if (!what.reconnect) pause();
      }
    }
  }

  // The same without a transaction: for what needs none, or makes its own (VACUUM).
  template <class Work>
  auto read(Work work, const SqlErrand& errand = {}) -> decltype(work(std::declval<soci::session&>())) {
    Call call(*this, errand);
    for (;;) {
      auto taken = take(call);
      if (!taken) return taken.error();
      try {
        auto result = work((*taken)->session());
        answered(**taken);
        return result;
      } catch (const soci::soci_error& failure) {
        const SqlFailure what = failed(**taken, failure);
        if (!what.passes || !call.may_try_again()) return give_up(call, what, Access::kRead);
      }
    }
  }

  // Would a write reach the files that the next start opens?  Does the server answer?  Connects if need be, writes
  // nothing.
  StorageState check_storage();
  // The last write failed, and not for its values.
  bool write_failed() const { return write_failed_; }

 private:
  enum class Access { kRead, kWrite };

  struct Slot {
    std::unique_ptr<soci::session> session;
    StorageMark mark;  // of the session's files
  };

  // One read() or write() with all its tries.
  class Call {
   public:
    Call(const SqlSessions& sessions, const SqlErrand& errand);
    bool leaves_token() const { return !token_.empty(); }
    bool has_end() const { return end_ != Time::max(); }
    const std::string& token() const { return token_; }
    Time end() const { return end_; }
    bool is_over() const { return end_ <= std::chrono::steady_clock::now(); }
    bool may_try_again() { return --tries_ > 0 && !is_over(); }
    // Is there time enough for it to end in time?
    bool may_connect() const { return std::chrono::steady_clock::now() < last_connect_; }

   private:
    Time end_, last_connect_;
    int tries_;
    CallDeadline nested_;  // what the call makes of others has no more time than it
    std::string token_;
  };

  // A place among the sessions, and the session on it: ours alone until the end of its scope.  What was begun and not
  // finished is undone then.
  class Turn {
   public:
    explicit Turn(SqlSessions& sessions) : sessions_(sessions) {}
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    soci::session& session() { return *slot_.session; }

   private:
    friend class SqlSessions;
    SqlSessions& sessions_;
    Slot slot_;
    bool has_place_ = false;
    bool tries_for_all_ = false;  // while others are told that the server is away
    bool clean_ = false;          // nothing is open in it
    std::optional<SessionWatchdog::Watch> watch_;
  };

  // Waits for a free place, connects if there is no session on it.
  Result<std::unique_ptr<Turn>> take(Call& call);
  Result<void> find_place(Turn& turn, const Call& call);
  Result<void> connect(Turn& turn, Call& call);
  void open_session(Slot& slot, const Call& call);
  void give_back(Turn& turn) noexcept;

  // False: the token is there already, and the transaction is ended.
  bool leave_token(Turn& turn, const Call& call);
  bool holds(const Turn& turn) const { return turn.slot_.mark.holds_in(backend_.storage_mark()); }
  Error lost();
  Error no_answer() const;
  SqlFailure failed(Turn& turn, const soci::soci_error& failure);
  Error give_up(const Call& call, const SqlFailure& what, Access access);
  static void pause();
  void wrote(Turn& turn);
  void answered(Turn& turn);
  void tell(const Error& error);

  SqlBackend& backend_;
  const SessionLimits limits_;
  SessionWatchdog watchdog_;
  Mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<Slot> idle_ GUARDED_BY(mutex_);  // the last one was used last
  std::size_t taken_ GUARDED_BY(mutex_) = 0;
  std::optional<Error> away_ GUARDED_BY(mutex_);  // why nobody could connect; one call at a time tries again
  bool trying_ GUARDED_BY(mutex_) = false;
  std::string told_ GUARDED_BY(mutex_);  // the failure that was logged last; "" since a call that worked
  std::atomic<bool> lost_ = false;       // as the last failure said
  std::atomic<bool> write_failed_ = false;
};

}  // namespace akr
