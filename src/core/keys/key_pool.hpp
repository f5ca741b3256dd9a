// key_pool.hpp - the upstream keys of one service with their health; chooses one per attempt.
//
// Thread-safe: one short lock, no allocation on select() or report() in the steady state.  A pool outlives its
// service's edits (Publisher hands it the new keys), so health and cursor survive them.
//
// The rules are behaviour.md D01-D06, D09, D22, D25-D27, D31 and its section 2; pool/ holds them, one file per rule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"
#include "core/keys/key_state.hpp"
#include "core/keys/pool/key_claim.hpp"
#include "core/outcome/verdict.hpp"
#include "core/service/service.hpp"

namespace akr {

class KeyPool;
struct SelectPreview;  // pool/select_preview.hpp

// One key taken for one attempt.  The key counts as in use until the lease dies; forgetting is impossible.
// Movable; used by one thread at a time; must not outlive the process, may outlive the pool's key.
class KeyLease {
 public:
  KeyLease() = default;
  KeyLease(KeyLease&& other) noexcept;
  KeyLease& operator=(KeyLease&& other) noexcept;
  ~KeyLease();

  const PooledKey& key() const { return *claim_.key; }
  std::uint64_t account() const { return claim_.account; }  // stable_hash() of the key's account; 0 = it has none
  explicit operator bool() const { return claim_.key != nullptr; }

  // Applies the key part of a verdict; may be called again (the head was good, then the stream broke).
  void report(const Verdict& verdict, TimePoint now);

  // Takes the same key for one more attempt, which is estimated to cost `tokens` (0 = unknown): counts it in the key's
  // limits.  False: a limit, or what became of the key meanwhile, forbids that; the lease stays as it was.
  bool renew(std::uint32_t tokens, TimePoint now);

  // For people, beside a verdict that blames: `redacted` holds no secret; cut at 500 bytes.  Allocates.
  void note_failure(int status, std::string_view redacted);
  // Time to the response head of a good answer; feeds the policy `latency`.
  void observe_latency(Duration first_byte, TimePoint now);
  // The provider's own counter: `remaining` requests or tokens until `reset_in` from now.  0 left: the key (for this
  // lease's model, if it has one) is skipped until then, before it answers 429.  Not a failure; at most 1 h.
  void observe_remaining(std::uint64_t remaining, Duration reset_in, TimePoint now);
  // Does its tpm make it worth while to find out what the attempt cost?
  bool counts_tokens() const { return claim_.counts_tokens; }
  // What the attempt really cost, when the usage is known; replaces SelectRequest::tokens in the key's tpm.
  void count_tokens(std::uint64_t tokens, TimePoint now);

 private:
  friend class KeyPool;
  KeyLease(std::shared_ptr<KeyPool> pool, const KeyClaim& claim) : pool_(std::move(pool)), claim_(claim) {}
  void release();
  std::shared_ptr<KeyPool> pool_;
  KeyClaim claim_;
};

struct SelectRequest {
  std::span<const KeyId> tried = {};  // keys this request already used; never chosen again
  std::string_view model = {};        // "" = unknown: model-scoped cooldowns do not apply
  std::uint64_t affinity = 0;         // HMAC of client and conversation (D22); 0 = none.  Policy `sticky` only
  std::uint64_t home = 0;             // of who makes things (home_rank.hpp), before any policy; 0 = nobody does
  std::uint32_t tokens = 0;           // estimate of what the request costs; 0 = unknown
  std::uint64_t account = 0;     // select_exactly(): which account the key was in, if it is gone (KeyLease::account)
  bool others_only = false;      // select_exactly(): not the key itself, which is of no more use
  SelectTrace* trace = nullptr;  // filled if not null
};

struct PoolCounts {
  std::size_t total = 0;
  std::size_t disabled = 0;  // by people, or unreadable, or weight 0
  std::size_t active = 0;    // usable now
  std::size_t cooling = 0;
  std::size_t exhausted = 0;
  std::size_t invalid = 0;
  std::size_t in_flight = 0;
  std::size_t limited = 0;  // at a limit of their own, or paced
  std::size_t trial = 0;    // half-open: waiting for, or in, their one request
};

struct PoolSettings {
  std::string policy = "round_robin";  // an id of selection/registry.hpp; an unknown one is refused by configure()
  bool auto_disable = true;            // false: never exhausted or invalid by itself; short waits stay
  int invalid_after = 2;               // 401s in a row within 10 min, 1..10
  bool outage_guard = true;
  // Nothing else asks about invalid keys: one request tries them after 1 h, then after twice as long, up to 24 h.
  bool try_invalid = false;
  // Asking about keys costs nothing, so invalid ones are asked about soon: a provider's hiccup must not cost an hour.
  bool free_call = false;
};

class KeyPool : public std::enable_shared_from_this<KeyPool> {
 public:
  // `seed` decides where the cursor starts, so that restarts do not always hit the first key.
  // Make it with make_shared: leases hold a reference.
  explicit KeyPool(std::uint64_t seed);
  ~KeyPool();

  // kInvalid (field "selection_policy" or "invalid_after") and nothing changed for settings that do not exist.
  Result<void> configure(const PoolSettings& settings);
  // Where days and months begin, for rpd and monthly quotas: `wall` is now, `utc_offset` is the zone's.  Before the
  // first call TimePoint's own epoch counts as 1970-01-01 UTC.
  void set_wall_clock(TimePoint now, WallTime wall, std::chrono::seconds utc_offset);

  // Takes a usable key for one attempt.  Otherwise (D06):
  // kNoKeysConfigured: no enabled key at all.
  // kAllKeysCooling: some are enabled but none may be used now (Error::retry_after = seconds to the soonest, at least
  // 1), or
  //   all usable ones are in `tried`, or the outage guard lets nothing through this second.
  // kCredentialsExhausted: every enabled key is invalid or out of quota (retry_after = seconds to the soonest, 0 =
  // unknown).
  Result<KeyLease> select(const SelectRequest& request, TimePoint now);
  // Takes this key, if select() could take it now, or else another one of its account that the request did not try (of
  // very many some are looked at).  The key itself, if it was tried, comes after those, and is then taken again.
  // kPinnedKeyUnavailable: none may be used; the message says why, retry_after when one may be (0 = unknown).
  Result<KeyLease> select_exactly(KeyId key, const SelectRequest& request, TimePoint now);

  // How long until a key may serve this model ("" = any request): 0 if one may now, nullopt if nobody knows.  Limits of
  // tokens are left out, and of very many usable keys only some are looked at.
  std::optional<Duration> free_in(std::string_view model, TimePoint now);

  // What select() would do now, without doing it: no turn, trial, limit or conversation is used up.  `explain`: how
  // many keys, in the operator's order, are told about one by one.  For people: copies, and is not free.
  SelectPreview preview(const SelectRequest& request, std::size_t explain, TimePoint now);

  // The enabled and disabled keys from now on, in the operator's order.  Health of keys that stay is kept, by id; a new
  // secret under an old id starts healthy.
  void replace_keys(std::span<const UpstreamKey> keys);
  // `keys` behind the ones that are there, at the cost of the new ones: 1,000 into a pool of 100,000.  False, and
  // nothing changed, if replace_keys() with all of them is needed: keys in quota groups, with limits, with a priority
  // that the pool does not have yet, or whose ids are not above all that it has.
  bool append_keys(std::span<const UpstreamKey> keys);

  PoolCounts counts(TimePoint now);
  OutageStatus outage();
  std::optional<KeyStatus> status(KeyId key, TimePoint now);
  bool has(KeyId key) const;  // enabled or not
  // Which account the key is in, as KeyLease::account(); of one that is gone it is the one that it was in `before`.
  std::uint64_t account_of(KeyId key, std::uint64_t before) const;
  bool has_account(std::uint64_t account) const;  // a key of it; never of 0

  // By a person: back to active at once, whatever the provider said; also their groups' and models' waits.
  void reset(std::span<const KeyId> keys, TimePoint now);
  void reset_all(TimePoint now);

  // Background validation: up to `limit` keys that are not active and whose turn it is (every 5 min; invalid ones
  // after 1 h, doubling to 24 h, and with PoolSettings::free_call before that after 10 s, 1 min and 10 min).  Each is
  // handed out once per turn; looks at a part of a large pool per call.
  std::vector<KeyId> due_for_validation(std::size_t limit, TimePoint now);
  // Takes exactly this key, whatever its state, for a validation call; report() then decides.  kNotFound.
  Result<KeyLease> lease_for_validation(KeyId key, TimePoint now);
  // Validation calls cannot tell whether this invalid key is accepted: one request tries it, as with
  // PoolSettings::try_invalid.  Nothing for a key that is not invalid, or for which that is arranged already.
  void let_request_try(KeyId key, TimePoint now);

  // For persistence, in wall-clock times: everything worth keeping.  It is read in parts of 512 rows, so that requests
  // do not wait: the lock is held well under 1 ms.  version() changes whenever the rows may have.
  std::vector<KeyStateRecord> export_states(TimePoint now, WallTime wall);
  std::uint64_t version();
  // After replace_keys().  Rows of unknown keys are ignored; deadlines only extend.
  void import_states(std::span<const KeyStateRecord> rows, TimePoint now, WallTime wall);

 private:
  friend class KeyLease;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace akr
