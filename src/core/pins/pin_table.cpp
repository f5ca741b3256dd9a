#include "core/pins/pin_table.hpp"

#include <algorithm>
#include <utility>

namespace akr {
namespace {

bool in_one_account(const PinnedKey& a, const PinnedKey& b) {
  return a == b || (a.service == b.service && a.account != 0 && a.account == b.account);
}

}  // namespace

PinTable::PinTable(std::string_view hash_key, std::size_t most)
    : hasher_(hash_key), most_per_part_(std::max<std::size_t>(1, most / kParts)) {}

PinTable::Found PinTable::look_up(ServiceId asked, std::string_view access_key, std::string_view resource,
                                  Sharing sharing, WallTime now) {
  const std::uint64_t me = hasher_.owner(access_key);
  const bool shared = sharing == Sharing::kYes;
  const auto thing = use(hasher_.thing(asked, resource), shared ? 0 : me, now);
  if (thing && thing->owner == me) return {.key = thing->to, .mine = true};
  // Things of one name may exist in several accounts: each access key reaches its own.
  const auto own = use(hasher_.hash(asked, access_key, resource), thing ? me : 0, now);
  if (own && own->owner == me) return {.key = own->to, .mine = true};
  if (thing && !shared) return {.key = std::nullopt, .foreign = true};
  if (thing) return {.key = thing->to};
  return {.key = own ? std::optional(own->to) : std::nullopt};
}

std::optional<KeyPin> PinTable::use(const PinId& id, std::uint64_t owner, WallTime now) {
  Part& mine = part(id);
  const MutexLock lock(mine.mutex);
  const auto found = mine.by_id.find(id);
  if (found == mine.by_id.end()) return std::nullopt;
  if (found->second->pin.expires <= now) {
    if (!found->second->owed) erase(mine, found->second);  // the store may have to be told that it was forgotten
    return std::nullopt;
  }
  if (owner == 0 || owner == found->second->pin.owner) renew(mine, found->second, now);
  return found->second->pin;
}

void PinTable::put(ServiceId asked, std::string_view access_key, std::string_view resource, PinnedKey to, How how,
                   WallTime now) {
  KeyPin pin = {.asked = asked,
                .id = hasher_.thing(asked, resource),
                .to = to,
                .expires = now + kLife + kRefreshStep,
                .owner = hasher_.owner(access_key)};
  if (put_thing(pin, how, now)) return;
  pin.id = hasher_.hash(asked, access_key, resource);
  if (how != How::kMade) pin.owner = 0;
  put_own(pin, how, now);
}

bool PinTable::put_thing(const KeyPin& made, How& how, WallTime now) {
  const bool strict = std::exchange(how, how == How::kMadeIfNew ? How::kMade : how) == How::kMadeIfNew;
  Part& mine = part(made.id);
  const MutexLock lock(mine.mutex);
  const auto found = mine.by_id.find(made.id);
  if (found == mine.by_id.end()) {
    if (how == How::kMade) insert(mine, made, true);
    return how == How::kMade;
  }
  Entry& entry = *found->second;
  const bool ended = entry.pin.expires <= now;
  if (!ended && entry.pin.owner != made.owner) {
    if (how == How::kSeen) return true;                      // as a list shows it to everybody
    if (in_one_account(entry.pin.to, made.to)) return true;  // it is that one's, whatever the answer says
    if (strict) how = How::kNamed;
    return false;
  }
  if (ended && how != How::kMade) return false;
  if (entry.pin.owner != made.owner) {
    entry.pin.owner = made.owner;
    owe(mine, entry);
  }
  change(mine, found->second, made, how, now);
  return true;
}

void PinTable::put_own(const KeyPin& pin, How how, WallTime now) {
  Part& mine = part(pin.id);
  const MutexLock lock(mine.mutex);
  const auto found = mine.by_id.find(pin.id);
  if (found == mine.by_id.end()) return insert(mine, pin, true);
  if (pin.owner != 0 && found->second->pin.owner != pin.owner) {
    found->second->pin.owner = pin.owner;
    owe(mine, *found->second);
  }
  change(mine, found->second, pin, how, now);
}

void PinTable::change(Part& part, Entries::iterator entry, const KeyPin& pin, How how, WallTime now) {
  if (entry->pin.to != pin.to) {
    if (how == How::kSeen && entry->pin.expires > now) return;
    entry->pin.to = pin.to;
    owe(part, *entry);
  } else if (entry->pin.to.account != pin.to.account) {  // the key was given another one
    entry->pin.to.account = pin.to.account;
    owe(part, *entry);
  }
  renew(part, entry, now);
}

void PinTable::forget(ServiceId asked, std::string_view access_key, std::string_view resource, WallTime now) {
  const bool own = forget(hasher_.hash(asked, access_key, resource), 0, now);
  // Without a pin of its own, the access key had been given the thing's.
  forget(hasher_.thing(asked, resource), own ? hasher_.owner(access_key) : 0, now);
}

bool PinTable::forget(const PinId& id, std::uint64_t owner, WallTime now) {
  Part& mine = part(id);
  const MutexLock lock(mine.mutex);
  const auto found = mine.by_id.find(id);
  if (found == mine.by_id.end() || (owner != 0 && found->second->pin.owner != owner)) return false;
  // Stays as an expired one until the store has it: otherwise it would be back after a restart.
  found->second->pin.expires = now;
  mine.by_age.splice(mine.by_age.begin(), mine.by_age, found->second);
  owe(mine, *found->second);
  return true;
}

void PinTable::renew(Part& part, Entries::iterator entry, WallTime now) const {
  const WallTime end = now + kLife + kRefreshStep;
  if (end - entry->pin.expires < kRefreshStep) return;
  entry->pin.expires = end;
  part.by_age.splice(part.by_age.end(), part.by_age, entry);
  owe(part, *entry);
}

void PinTable::owe(Part& part, Entry& entry) const {
  if (entry.owed) return;
  if (part.owed.size() >= 2 * most_per_part_) {
    // Nobody takes them (the store is down), and most are of pins that were dropped meanwhile.
    part.owed.clear();
    for (const Entry& each : part.by_age) {
      if (each.owed) part.owed.push_back(each.pin.id);
    }
  }
  entry.owed = true;
  part.owed.push_back(entry.pin.id);
}

void PinTable::insert(Part& part, const KeyPin& pin, bool owed) {
  if (part.by_id.size() >= most_per_part_) erase(part, part.by_age.begin());
  part.by_age.push_back({.pin = pin});
  const auto entry = std::prev(part.by_age.end());
  part.by_id.emplace(pin.id, entry);
  if (owed) owe(part, *entry);
  used_by(pin.asked).fetch_add(1, std::memory_order_relaxed);
  size_.fetch_add(1, std::memory_order_relaxed);
}

void PinTable::erase(Part& part, Entries::iterator entry) {
  used_by(entry->pin.asked).fetch_sub(1, std::memory_order_relaxed);
  size_.fetch_sub(1, std::memory_order_relaxed);
  part.by_id.erase(entry->pin.id);
  part.by_age.erase(entry);
}

std::vector<KeyPin> PinTable::take_changes(std::size_t limit) {
  std::vector<KeyPin> changes;
  for (Part& each : parts_) {
    const MutexLock lock(each.mutex);
    while (!each.owed.empty() && changes.size() < limit) {
      const auto found = each.by_id.find(each.owed.back());
      each.owed.pop_back();
      // One that was dropped meanwhile is not owed any more; one that came back is, and stands in the list again.
      if (found == each.by_id.end() || !found->second->owed) continue;
      found->second->owed = false;
      changes.push_back(found->second->pin);
    }
  }
  return changes;
}

std::size_t PinTable::backlog() {
  std::size_t count = 0;
  for (Part& each : parts_) {
    const MutexLock lock(each.mutex);
    count += each.owed.size();
  }
  return count;
}

void PinTable::return_changes(const std::vector<KeyPin>& pins) {
  for (const KeyPin& pin : pins) {
    Part& mine = part(pin.id);
    const MutexLock lock(mine.mutex);
    if (const auto found = mine.by_id.find(pin.id); found != mine.by_id.end()) owe(mine, *found->second);
  }
}

void PinTable::restore(const std::vector<KeyPin>& pins, WallTime now) {
  for (const KeyPin& pin : pins) {
    Part& mine = part(pin.id);
    const MutexLock lock(mine.mutex);
    if (pin.expires > now && !mine.by_id.contains(pin.id)) insert(mine, pin, false);
  }
}

WallTime PinTable::expire(WallTime now) {
  WallTime oldest = now;
  bool dropping = true;  // every part is full: the store may hold what the table had to drop
  WallTime first = WallTime::max();
  for (Part& each : parts_) {
    const MutexLock lock(each.mutex);
    while (!each.by_age.empty() && each.by_age.front().pin.expires <= now) erase(each, each.by_age.begin());
    dropping = dropping && each.by_id.size() >= most_per_part_;
    if (!each.by_age.empty()) first = std::min(first, each.by_age.front().pin.expires);
  }
  if (dropping && first != WallTime::max()) oldest = first;
  return oldest;
}

}  // namespace akr
