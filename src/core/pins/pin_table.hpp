// pin_table.hpp - all pins of this process, and which of them the store does not know yet.
//
// Thread-safe: one short lock per call, on one of sixteen parts.  Bounded: beyond `most` pins those that were not used
// for longest go first.  Knows no clock: times come in as arguments and are the wall's, because pins outlive restarts.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.hpp"
#include "core/pins/key_pin.hpp"

namespace akr {

class PinTable {
 public:
  static constexpr std::size_t kMost = 500'000;
  // A pin lives this long after its last use, and up to kRefreshStep longer: so a pin that is used all the time is
  // written once per step.
  static constexpr std::chrono::hours kLife{48};
  static constexpr std::chrono::minutes kRefreshStep{1};

  // `hash_key` as for PinHasher.
  explicit PinTable(std::string_view hash_key, std::size_t most = kMost);
  PinTable(const PinTable&) = delete;
  PinTable& operator=(const PinTable&) = delete;

  // May a request to this service be bound to a key?  False: surely not.  One load, no lock.
  bool any(ServiceId asked) const { return used_by(asked).load(std::memory_order_relaxed) != 0; }

  // May an access key reach what another one made?
  enum class Sharing : std::uint8_t { kNo, kYes };
  struct Found {
    std::optional<PinnedKey> key;  // the key that made the resource, if it is known; its pin then lives on
    bool mine = false;             // this access key made it
    bool foreign = false;          // another one did, and does not share it: to this one it does not exist
  };
  Found look_up(ServiceId asked, std::string_view access_key, std::string_view resource, Sharing sharing, WallTime now);
  // The resource was made through this key and belongs to the access key; or so it is unless somebody owns it already;
  // or the answer to a request that makes something named it again (of these, the last word wins); or it was seen
  // through this key: keys of one account see the same things, and what one of them made must not wander to the next
  // one that lists it.  What is another's and lives in the same account was not made now, whatever the answer says.
  enum class How : std::uint8_t { kMade, kMadeIfNew, kNamed, kSeen };
  void put(ServiceId asked, std::string_view access_key, std::string_view resource, PinnedKey to, How how,
           WallTime now);

  // The key is gone for good: the resource is unknown from now on, here and in the store.
  void forget(ServiceId asked, std::string_view access_key, std::string_view resource, WallTime now);

  // What the store does not know yet, up to about `limit` pins; they count as known from now on.  One
  // that was forgotten has expired.
  std::vector<KeyPin> take_changes(std::size_t limit);
  // Notes kept for it: about twice as many as pins at most, however long nobody asks.
  std::size_t backlog();
  // They could not be stored: take_changes() gives them again, as they are by then.
  void return_changes(const std::vector<KeyPin>& pins);
  // Pins of the store, oldest first.  What is in the table already, or has expired, stays out.
  void restore(const std::vector<KeyPin>& pins, WallTime now);

  // Removes what has expired.  Returns a time before which no pin in the table ends: rows of the store that end before
  // it are of no use to anybody.
  WallTime expire(WallTime now);
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  struct Entry {
    KeyPin pin;
    bool owed = false;  // its id is in Part::owed
  };
  struct IdHash {
    std::size_t operator()(const PinId& id) const noexcept { return id.low; }
  };
  using Entries = std::list<Entry>;
  struct Part {
    Mutex mutex;
    Entries by_age GUARDED_BY(mutex);  // the one that ends first is in front
    std::unordered_map<PinId, Entries::iterator, IdHash> by_id GUARDED_BY(mutex);
    std::vector<PinId> owed GUARDED_BY(mutex);
  };
  static constexpr std::size_t kParts = 16;
  // Services share a counter when their ids are equal modulo this; then one that has no pins looks for some in vain.
  static constexpr std::size_t kCounters = 1024;

  Part& part(const PinId& id) { return parts_[id.high % kParts]; }
  std::atomic<std::uint32_t>& used_by(ServiceId asked) { return used_by_[slot_of(asked)]; }
  const std::atomic<std::uint32_t>& used_by(ServiceId asked) const { return used_by_[slot_of(asked)]; }
  static std::size_t slot_of(ServiceId asked) { return static_cast<std::uint64_t>(asked.value) % kCounters; }
  // A pin that has not ended; one of `owner`, or any if that is 0, lives on by it.
  std::optional<KeyPin> use(const PinId& id, std::uint64_t owner, WallTime now);
  // Notes who made a resource.  False: the access key needs a pin of its own; `how` is what is true then.
  bool put_thing(const KeyPin& made, How& how, WallTime now);
  void put_own(const KeyPin& pin, How how, WallTime now);
  // False: it was not there, or `owner` is neither 0 nor its owner.
  bool forget(const PinId& id, std::uint64_t owner, WallTime now);
  void change(Part& part, Entries::iterator entry, const KeyPin& pin, How how, WallTime now) REQUIRES_LOCK(part.mutex);
  void insert(Part& part, const KeyPin& pin, bool owed) REQUIRES_LOCK(part.mutex);
  void erase(Part& part, Entries::iterator entry) REQUIRES_LOCK(part.mutex);
  void owe(Part& part, Entry& entry) const REQUIRES_LOCK(part.mutex);
  void renew(Part& part, Entries::iterator entry, WallTime now) const REQUIRES_LOCK(part.mutex);

  const PinHasher hasher_;
  const std::size_t most_per_part_;
  std::array<Part, kParts> parts_;
  std::array<std::atomic<std::uint32_t>, kCounters> used_by_{};
  std::atomic<std::size_t> size_ = 0;
};

}  // namespace akr
