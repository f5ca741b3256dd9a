#include "store/sql/sql_sessions.hpp"

#include <algorithm>
#include <thread>

#include <sodium.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

// What the slowest of the servers that we measured needs for a row, doubled.
constexpr std::chrono::microseconds kPerRow{200};
// Client libraries count whole seconds, and libpq at least two.  A connection that is begun this long before a call's
// end and does not come about has ended less than a second after it.
constexpr std::chrono::milliseconds kWholeSecond{1'200};
constexpr std::size_t kTokenBytes = 16;

std::string new_token() {
  char bytes[kTokenBytes];
  ::randombytes_buf(bytes, sizeof bytes);
  return to_hex({bytes, sizeof bytes});
}

SqlSessions::Time end_of(std::chrono::milliseconds limit, std::size_t rows) {
  if (limit.count() == 0) return CallDeadline::of_this_thread();
  const auto for_rows = kPerRow * static_cast<std::int64_t>(rows);
  CallDeadline::allow_more(for_rows);
  return std::min(std::chrono::steady_clock::now() + limit + for_rows, CallDeadline::of_this_thread());
}

long long wall_ms() { return system_clock().wall().time_since_epoch().count(); }

std::string in_seconds(std::chrono::milliseconds time) {
  const std::string text = std::to_string(static_cast<double>(time.count()) / 1000);
  return text.substr(0, text.find('.') + 2) + " s";
}

}  // namespace

SqlSessions::Call::Call(const SqlSessions& sessions, const SqlErrand& errand)
    : end_(end_of(sessions.limits_.deadline, errand.rows)),
      last_connect_(has_end() ? end_ - std::min(kWholeSecond, sessions.limits_.deadline / 2) : end_),
      tries_(sessions.limits_.tries),
      nested_(end_) {
  if (errand.once && sessions.backend_.dialect().is_server) token_ = new_token();
}

// Nothing is allocated where a session is given back.
SqlSessions::SqlSessions(SqlBackend& backend, const SessionLimits& limits) : backend_(backend), limits_(limits) {
  idle_.reserve(limits_.most);
}

SqlSessions::Turn::~Turn() {
  if (slot_.session && !clean_ && !sessions_.backend_.undo(*slot_.session)) {
    watch_.reset();  // before its socket is closed
    slot_.session.reset();
  }
  watch_.reset();
  if (has_place_) sessions_.give_back(*this);
}

Result<std::unique_ptr<SqlSessions::Turn>> SqlSessions::take(Call& call) {
  auto turn = std::make_unique<Turn>(*this);
  if (auto found = find_place(*turn, call); !found) return found.error();
  if (!turn->slot_.session) {
    if (auto connected = connect(*turn, call); !connected) return connected.error();
  }
  if (call.has_end()) turn->watch_.emplace(watchdog_, backend_.socket_of(turn->session()), call.end());
  return turn;
}

Result<void> SqlSessions::find_place(Turn& turn, const Call& call) {
  const MutexLock lock(mutex_);
  while ((idle_.empty() && taken_ == limits_.most) || call.is_over()) {
    if (call.is_over()) {
      freed_.notify_one();  // it may have been our turn
      return Error{ErrorCode::kStoreUnavailable, "All " + std::to_string(limits_.most) + " sessions with " +
                                                     backend_.where() + " are in use, and none became free within " +
                                                     in_seconds(limits_.deadline) + "."};
    }
    if (call.has_end()) {
      freed_.wait_until(mutex_, call.end());
    } else {
      freed_.wait(mutex_);
    }
  }
  if (!idle_.empty()) {
    turn.slot_ = std::move(idle_.back());
    idle_.pop_back();
  } else if (away_) {
    // A server that does not answer is waited for by one call, not by all.
    if (trying_) {
      freed_.notify_one();  // another one may have use for the place
      return *away_;
    }
    turn.tries_for_all_ = trying_ = true;
  }
  turn.has_place_ = true;
  ++taken_;
  return {};
}

Result<void> SqlSessions::connect(Turn& turn, Call& call) {
  std::optional<Error> error;
  do {
    if (!call.may_connect()) return no_answer();  // which says nothing about the server
    try {
      open_session(turn.slot_, call);
      error.reset();
      break;
    } catch (const soci::soci_error& failure) {
      turn.slot_.session.reset();
      const SqlFailure what = backend_.explain(failure);
      lost_ = what.lost;
      write_failed_ = true;
      error = what.error;
      if (!what.passes) break;
    }
  } while (call.may_try_again());
  if (error) tell(*error);
  const MutexLock lock(mutex_);
  away_ = error;
  if (error) return *error;
  return {};
}

void SqlSessions::open_session(Slot& slot, const Call& call) {
  SessionPatience patience = limits_.patience;
  if (call.has_end()) {
    const auto left = call.end() - std::chrono::steady_clock::now();
    patience.reach = std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(left),
                                std::chrono::milliseconds(1), patience.reach);
  }
  slot.session = backend_.connect(patience);
  std::optional<SessionWatchdog::Watch> watch;
  if (call.has_end()) watch.emplace(watchdog_, backend_.socket_of(*slot.session), call.end());
  backend_.set_up(*slot.session, patience);
  slot.mark = backend_.storage_mark();
}

void SqlSessions::give_back(Turn& turn) noexcept {
  {
    const MutexLock lock(mutex_);
    --taken_;
    if (turn.tries_for_all_) trying_ = false;
    if (turn.slot_.session) idle_.push_back(std::move(turn.slot_));
  }
  freed_.notify_one();
}

// Those who were in each other's way do not meet again at once.
void SqlSessions::pause() { std::this_thread::sleep_for(std::chrono::milliseconds(::randombytes_uniform(20))); }

bool SqlSessions::leave_token(Turn& turn, const Call& call) {
  const long long now = wall_ms();
  try {
    run(turn.session(), "INSERT INTO akr_commits (token, at_ms) VALUES (:token, :now)", soci::use(call.token()),
        soci::use(now));
    return true;
  } catch (const soci::soci_error& failure) {
    if (backend_.explain(failure).error.code != ErrorCode::kConflict) throw;
  }
  run(turn.session(), "ROLLBACK");
  wrote(turn);
  return false;
}

StorageState SqlSessions::check_storage() {
  if (backend_.dialect().is_server) {
    const auto answer = read([](soci::session& session) -> Result<int> {
      int one = 0;
      run(session, "SELECT 1", soci::into(one));
      return one;
    });
    return answer ? StorageState::kHolds : StorageState::kUnreachable;
  }
  Call call(*this, {});
  const auto taken = take(call);
  if (!taken) return lost_ ? StorageState::kLost : StorageState::kUnreachable;
  if (holds(**taken)) return StorageState::kHolds;
  lost();
  return StorageState::kLost;
}

Error SqlSessions::lost() {
  Error error = backend_.storage_lost();
  tell(error);
  write_failed_ = true;
  return error;
}

Error SqlSessions::no_answer() const {
  const std::string time = limits_.deadline.count() == 0 ? "in time" : "within " + in_seconds(limits_.deadline);
  return {ErrorCode::kStoreUnavailable, backend_.where() + " did not answer " + time + "."};
}

SqlFailure SqlSessions::failed(Turn& turn, const soci::soci_error& failure) {
  SqlFailure what = backend_.explain(failure);
  if (!what.reconnect && backend_.undo(*turn.slot_.session)) {
    turn.clean_ = true;
  } else {
    turn.watch_.reset();
    turn.slot_.session.reset();
  }
  if (what.reconnect) {
    // What befell this session may have befallen all.
    std::vector<Slot> cut;
    cut.reserve(limits_.most);  // which the others get
    const MutexLock lock(mutex_);
    cut.swap(idle_);
  }
  return what;
}

Error SqlSessions::give_up(const Call& call, const SqlFailure& what, Access access) {
  lost_ = what.lost;
  if (what.error.code == ErrorCode::kConflict) {
    write_failed_ = false;  // the values were refused, the database works
    return what.error;
  }
  Error error = what.error;
  if (what.reconnect && call.has_end() && call.is_over()) {
    error = no_answer();
    const MutexLock lock(mutex_);
    away_ = error;
  }
  if (access == Access::kWrite) write_failed_ = true;
  tell(error);
  return error;
}

// A disk stays full for hours, and everybody tries again.
void SqlSessions::tell(const Error& error) {
  if (!limits_.tells) return;
  {
    const MutexLock lock(mutex_);
    if (error.message == told_) return;
    told_ = error.message;
  }
  log_error("store_failed", {{"code", to_string(error.code)}, {"message", error.message}});
}

void SqlSessions::wrote(Turn& turn) {
  write_failed_ = false;
  answered(turn);
}

void SqlSessions::answered(Turn& turn) {
  turn.clean_ = true;
  const MutexLock lock(mutex_);
  told_.clear();
  away_.reset();  // whatever befell another one
}

}  // namespace akr
