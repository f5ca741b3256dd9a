// pool_state.hpp - everything a KeyPool knows, for one thread at a time; KeyPool adds the lock and the leases.
//
// The heart is refresh(): it judges one key from scratch (judge()) and moves it into or out of its tier's ReadyKeys and
// the wake heap.  Whatever changes a key calls it, so no other code has to think about who may be chosen.
// Where to look: choosing pool_select.cpp, one certain key pool_exact.cpp, choosing without taking pool_preview.cpp,
// judging pool_refresh.cpp, verdicts
// pool_report.cpp, new keys pool_adopt.cpp, people pool_people.cpp, persistence pool_export.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.hpp"
#include "core/keys/key_pool.hpp"
#include "core/keys/pool/affinity_map.hpp"
#include "core/keys/pool/model_waits.hpp"
#include "core/keys/pool/outage_guard.hpp"
#include "core/keys/pool/ready_keys.hpp"
#include "core/keys/pool/roster.hpp"
#include "core/keys/select_preview.hpp"
#include "core/keys/selection/registry.hpp"

namespace akr {

// Bits of KeyClaim::trials: the waits that an attempt tries to end.
enum Reach : std::uint8_t {
  kReachKey = 1,
  kReachGroup = 2,
  kReachKeyModel = 4,
  kReachGroupModel = 8,
  kReachValidation = 128,  // not a request: outside of the limits
};

// How far a walk over the pool's tables has come.  The tables may change between two parts of it: then rows may be
// missed or told twice, and version() has changed.
struct ExportCursor {
  enum class Table : std::uint8_t { kKeys, kGroups, kModels, kEnd };
  Table table = Table::kKeys;
  std::size_t at = 0;
};

class PoolState {
 public:
  explicit PoolState(std::uint64_t seed);

  Result<void> configure(const PoolSettings& settings);
  void set_wall_clock(TimePoint now, WallTime wall, std::chrono::seconds utc_offset);
  void adopt(Roster&& roster);  // leaves the old tables in `roster`, to be freed outside of the lock
  bool append(Roster&& more);   // behind the present keys; false: only adopt() can do it, and nothing changed

  Result<KeyClaim> take(const SelectRequest& request, TimePoint now);
  Result<KeyClaim> take_exactly(KeyId id, const SelectRequest& request, TimePoint now);
  SelectPreview preview(const SelectRequest& request, std::size_t explain, TimePoint now);
  void report(const KeyClaim& claim, const Verdict& verdict, TimePoint now);
  void release(const KeyClaim& claim);
  bool renew(KeyClaim& claim, std::uint32_t tokens, TimePoint now);
  void note_failure(const KeyClaim& claim, int status, std::string_view redacted);
  void observe_latency(const KeyClaim& claim, Duration first_byte, TimePoint now);
  void pace(const KeyClaim& claim, Duration reset_in, TimePoint now);
  void count_tokens(KeyClaim& claim, std::uint64_t tokens, TimePoint now);

  void tick(TimePoint now) { now_ = std::max(now_, now); }
  PoolCounts counts(TimePoint now);
  OutageStatus outage() const { return guard_.status(); }
  std::optional<KeyStatus> status(KeyId id, TimePoint now);
  void reset(KeyId id, TimePoint now);
  void reset_all(TimePoint now);
  std::vector<KeyId> due_for_validation(std::size_t limit, TimePoint now);
  Result<KeyClaim> take_for_validation(KeyId id, TimePoint now);
  void let_request_try(KeyId id, TimePoint now);
  bool has(KeyId id) const { return roster_.find(id).has_value(); }

  std::uint64_t version() const { return version_; }
  std::uint32_t slots() const { return static_cast<std::uint32_t>(roster_.slots.size()); }
  // The next rows, at most kExportRows, appended to `rows`.  False: that were all.  `clock` turns our times into the
  // wall's.
  static constexpr std::size_t kExportRows = 512;
  bool export_part(ExportCursor& cursor, const WallClock& clock, std::vector<KeyStateRecord>& rows);
  void import(const KeyStateRecord& row, const WallClock& clock);

 private:
  struct Judgement {
    KeyStanding standing = KeyStanding::kUsable;
    TimePoint wake{};  // when to judge again; TimePoint{} = only when something happens
    void add(KeyStanding reason, TimePoint at);
  };
  struct ModelBlock {  // "no usable key for this model", true until a key joins or `until`
    std::uint64_t joins = 0;
    TimePoint until{};
    bool hopeless = false;  // all of them lack the model
  };

  // pool_refresh.cpp
  void advance(std::size_t budget);  // wakes keys that are due; more than `budget` only if none is usable
  Judgement judge(std::uint32_t slot);
  void refresh(std::uint32_t slot);
  void refresh_group(std::uint32_t group);
  void refresh_reach(std::uint32_t slot);  // the slot, and its group if it has one
  void join(std::uint32_t slot);
  void leave(std::uint32_t slot);
  KeyView& view(Slot& slot);
  LimitAccount* account(std::uint32_t slot);
  std::uint32_t in_standing(KeyStanding standing) const { return standings_[static_cast<std::size_t>(standing)]; }
  std::uint32_t ready_keys() const { return in_standing(KeyStanding::kUsable) + in_standing(KeyStanding::kTrial); }
  std::uint32_t enabled_keys() const;

  // pool_select.cpp
  std::optional<std::uint32_t> choose(const SelectRequest& request, std::uint64_t model);
  std::optional<std::uint32_t> choose_without_hope(const SelectRequest& request, std::uint64_t model);
  std::optional<std::uint32_t> choose_affine(const SelectRequest& request, std::uint64_t model);
  std::optional<std::uint32_t> locate(const AffinityMap::Place& place) const;
  std::optional<std::uint32_t> choose_from(std::uint16_t tier, const SelectRequest& request, std::uint64_t model);
  void prefetch(std::uint32_t slot) const;
  void prefetch_ahead(const ReadyKeys& ready) const;
  bool acceptable(std::uint32_t slot, const SelectRequest& request, std::uint64_t model);
  bool model_open(PairOwner owner, std::uint64_t model);
  bool known_blocked(std::uint64_t model);
  void remember_blocked(std::uint64_t model);
  void set_aside(std::uint32_t slot);
  void set_aside_tried(const SelectRequest& request);
  void bring_back();
  KeyClaim commit(std::uint32_t slot, const SelectRequest& request, const ModelTag& model);
  void start_trials(std::uint32_t slot, KeyClaim& claim);
  Error nothing_usable();
  void fill_trace(SelectTrace& trace) const;

  // pool_exact.cpp
  Error unavailable(std::uint32_t slot, std::uint32_t tokens);
  // pool_preview.cpp
  std::optional<std::uint32_t> choose_and_undo(const SelectRequest& request, const ModelTag& model);
  void undo_aside();
  bool would_be_trial(std::uint32_t slot, const ModelTag& model);
  void foresee(std::uint32_t slot, const SelectRequest& request, const ModelTag& model, SelectPreview& preview);
  KeyOutlook outlook(std::uint32_t slot, const SelectRequest& request, const ModelTag& model,
                     const SelectPreview& preview);
  void explain_usable(std::uint32_t slot, const SelectRequest& request, const ModelTag& model,
                      const SelectPreview& preview, KeyOutlook& outlook);

  // pool_report.cpp
  std::optional<std::uint32_t> locate(const KeyClaim& claim) const;
  bool may_go_on(std::uint32_t slot, const KeyClaim& claim, std::uint32_t tokens);
  void succeeded(std::uint32_t slot, const KeyClaim& claim);
  void failed(std::uint32_t slot, const KeyClaim& claim, const Verdict& verdict);
  void forgive_models(std::uint32_t slot, const KeyClaim& claim);
  Scope effective_scope(std::uint32_t slot, const Verdict& verdict, const ModelTag& model) const;
  Health& target(std::uint32_t slot, Scope scope, const ModelTag& model);
  void take_back(const Penalty& penalty);
  void end_trials(std::uint32_t slot, const KeyClaim& claim);
  bool sole_key() const { return enabled_keys() - in_standing(KeyStanding::kInvalid) <= 1; }
  void schedule_validation(KeyRecord& record);

  // pool_adopt.cpp
  void adopt_key(Roster& next, std::uint32_t slot, std::uint32_t old_slot);
  void adopt_groups(Roster& next);
  void adopt_limits(Roster& next);
  void retire(std::uint32_t old_slot);
  bool appendable(const Roster& more) const;
  void rebuild_tiers(bool new_policy);

  // pool_people.cpp
  void reset_slot(std::uint32_t slot);
  std::uint32_t cooling_models(PairOwner owner);

  // pool_export.cpp
  void export_key(std::uint32_t slot, const WallClock& clock, std::vector<KeyStateRecord>& rows);
  void export_group(const QuotaGroup& group, const WallClock& clock, std::vector<KeyStateRecord>& rows);
  void export_model(const ModelWaits::Pair& pair, const ModelWait& wait, const WallClock& clock,
                    std::vector<KeyStateRecord>& rows);
  void import_key(std::uint32_t slot, const KeyStateRecord& row, const WallClock& clock);
  void import_group(std::uint32_t index, const KeyStateRecord& row, const WallClock& clock);
  void merge(Health& health, const KeyStateRecord& row, const WallClock& clock);
  std::string_view kept(const std::string& reason);  // as static storage

  const std::uint64_t seed_;
  Random random_;
  PoolSettings settings_;
  const PolicyEntry* policy_;
  WallClock clock_;
  TimePoint now_{};  // the latest that any caller said; never goes back
  Roster roster_;
  std::vector<ReadyKeys> tiers_;  // by priority
  WakeHeap heap_;
  std::array<std::uint32_t, kStandings> standings_{};
  std::uint32_t in_flight_ = 0;
  std::uint64_t tickets_ = 0;
  std::uint64_t version_ = 0;
  ModelWaits models_;
  std::unordered_map<std::uint64_t, ModelBlock> blocked_models_;
  std::uint64_t joins_ = 0;  // keys or models that became usable
  AffinityMap affinity_;
  OutageGuard guard_;
  struct Retired {
    std::shared_ptr<const PooledKey> key;
    std::uint32_t in_flight = 0;
  };
  std::unordered_map<const PooledKey*, Retired> retired_;  // deleted keys that attempts still use
  std::uint32_t validation_cursor_ = 0;
  std::unordered_set<std::string> reasons_;  // of imported rows

  // Of one take(); members so that nothing is allocated.
  struct Aside {
    std::uint32_t slot;
    std::uint32_t position;  // in its ReadyKeys, before it left
  };
  std::vector<Aside> aside_;
  TimePoint model_soonest_{};
  bool model_hope_ = false;  // a key waits for the model rather than lacks it
  SelectTrace scratch_;
};

}  // namespace akr
