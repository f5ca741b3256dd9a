// pool_state.hpp - everything a KeyPool knows, for one thread at a time; KeyPool adds the lock and the leases.
//
// The tables and who may be chosen are PoolTables; which of those is next, Chooser; what an attempt does to its key is
// here.  Where to look: taking a key pool_take.cpp, what a verdict does pool_report.cpp, choosing without taking
// pool_preview.cpp, people pool_people.cpp, new keys pool_adopt.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "core/keys/key_pool.hpp"
#include "core/keys/pool/chooser.hpp"
#include "core/keys/pool/outage_guard.hpp"
#include "core/keys/pool/pool_rows.hpp"
#include "core/keys/pool/pool_tables.hpp"
#include "core/keys/pool/pool_validation.hpp"
#include "core/keys/select_preview.hpp"

namespace akr {

class PoolState {
 public:
  explicit PoolState(std::uint64_t seed);

  Result<void> configure(const PoolSettings& settings);
  void set_wall_clock(TimePoint now, WallTime wall, std::chrono::seconds utc_offset);
  void tick(TimePoint now) { tables_.tick(now); }
  void adopt(Roster&& roster);  // leaves the old tables in `roster`, to be freed outside of the lock
  bool append(Roster&& more);   // behind the present keys; false: only adopt() can do it, and nothing changed

  Result<KeyClaim> take(const SelectRequest& request, TimePoint now);
  Result<KeyClaim> take_exactly(KeyId id, const SelectRequest& request, TimePoint now);
  std::optional<Duration> free_in(std::string_view model, TimePoint now);
  SelectPreview preview(const SelectRequest& request, std::size_t explain, TimePoint now);

  void report(const KeyClaim& claim, const Verdict& verdict, TimePoint now);
  void release(const KeyClaim& claim);
  bool renew(KeyClaim& claim, std::uint32_t tokens, TimePoint now);
  void note_failure(const KeyClaim& claim, int status, std::string_view redacted);
  void observe_latency(const KeyClaim& claim, Duration first_byte, TimePoint now);
  void pace(const KeyClaim& claim, Duration reset_in, TimePoint now);
  void count_tokens(KeyClaim& claim, std::uint64_t tokens, TimePoint now);

  PoolCounts counts(TimePoint now);
  OutageStatus outage() const { return guard_.status(); }
  std::optional<KeyStatus> status(KeyId id, TimePoint now);
  bool has(KeyId id) const { return tables_.roster.find(id).has_value(); }
  std::uint64_t account_of(KeyId id, std::uint64_t before) const;
  bool has_account(std::uint64_t account) const { return !tables_.roster.keys_of(account).empty(); }
  std::uint64_t version() const { return tables_.version(); }
  void reset(KeyId id, TimePoint now);
  void reset_all(TimePoint now);

  PoolValidation& validation() { return validation_; }
  const PoolRows& rows() const { return rows_; }
  void import(const KeyStateRecord& row, const WallClock& clock);

 private:
  // pool_take.cpp
  bool held_back(std::uint64_t model) const { return guard_.holds_back(model, false, tables_.now()); }
  std::optional<KeyClaim> take_kin(KeyId id, std::span<const Roster::AccountPlace> kin, const SelectRequest& request,
                                   std::optional<Error>& refused);
  Result<KeyClaim> take_bound(std::uint32_t slot, const SelectRequest& request);
  KeyClaim commit(std::uint32_t slot, const SelectRequest& request, const ModelTag& model);
  void start_trials(std::uint32_t slot, KeyClaim& claim);
  void count_request(std::uint32_t slot, KeyClaim& claim, std::uint32_t tokens, LimitAccount& limits);
  void tell(SelectTrace* trace, const Choice& choice) const;
  void tell_taken(SelectTrace* trace, const KeyClaim& claim) const;
  bool may_go_on(std::uint32_t slot, const KeyClaim& claim, std::uint32_t tokens);
  void end_trials(std::uint32_t slot, const KeyClaim& claim);

  // pool_report.cpp
  void succeeded(std::uint32_t slot, const KeyClaim& claim);
  void forgive_models(const Reach& reach, const KeyClaim& claim);
  void failed(std::uint32_t slot, const KeyClaim& claim, const Verdict& verdict);
  void address_refused(const KeyClaim& claim, const Verdict& verdict);
  Health& target(std::uint32_t slot, Scope scope, const ModelTag& model);
  void take_back(const Penalty& penalty);
  bool sole_key() const;

  // pool_people.cpp
  void reset_slot(std::uint32_t slot);

  PoolSettings settings_;
  PoolTables tables_;
  Chooser chooser_;
  OutageGuard guard_;
  PoolValidation validation_;
  PoolRows rows_;
};

}  // namespace akr
