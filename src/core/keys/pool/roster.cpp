#include "core/keys/pool/roster.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/strings.hpp"
#include "core/keys/home_rank.hpp"

namespace akr {
namespace {

std::shared_ptr<const PooledKey> pooled(const UpstreamKey& key,
                                        std::span<const std::shared_ptr<const PooledKey>> known) {
  const auto it =
      std::lower_bound(known.begin(), known.end(), key.id, [](const auto& each, KeyId id) { return each->id < id; });
  if (it != known.end() && (*it)->id == key.id && (*it)->secret.equals(key.secret.expose())) return *it;
  return std::make_shared<const PooledKey>(
      PooledKey{.id = key.id, .secret = key.secret, .fingerprint = fingerprint(key.secret.expose())});
}

std::vector<std::int32_t> sorted_priorities(std::span<const UpstreamKey> keys) {
  std::vector<std::int32_t> priorities;
  for (const UpstreamKey& key : keys)
    if (priorities.empty() || priorities.back() != key.priority) priorities.push_back(key.priority);
  std::sort(priorities.begin(), priorities.end());
  priorities.erase(std::unique(priorities.begin(), priorities.end()), priorities.end());
  return priorities;
}

void note_accounts(std::span<const UpstreamKey> keys, Roster& roster) {
  if (std::ranges::all_of(keys, [](const UpstreamKey& key) { return key.account.empty(); })) return;
  roster.account_by_slot.resize(keys.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    if (keys[i].account.empty()) continue;
    roster.account_by_slot[i] = stable_hash(keys[i].account);
    roster.by_account.push_back({roster.account_by_slot[i], i});
  }
  std::ranges::stable_sort(roster.by_account, {}, [&](const Roster::AccountPlace& each) {
    return std::pair(each.account, roster.slots[each.slot].tier);
  });
}

Slot make_slot(const UpstreamKey& key, const PooledKey* pooled_key, std::uint32_t index) {
  Slot slot;
  slot.id = key.id;
  slot.key = pooled_key;
  slot.view.slot = index;
  slot.view.weight = key.weight;
  slot.enabled = key.enabled;
  slot.readable = key.readable;
  return slot;
}

}  // namespace

std::optional<std::uint32_t> Roster::find(KeyId id) const {
  const auto it =
      std::lower_bound(by_id.begin(), by_id.end(), id, [](const IdPlace& each, KeyId key) { return each.id < key; });
  if (it == by_id.end() || it->id != id) return std::nullopt;
  return it->slot;
}

std::optional<std::uint32_t> Roster::find_group(std::string_view name) const {
  const auto it = group_of_owner.find(PairOwner::of_group(name).value);
  if (it == group_of_owner.end() || groups[it->second].name != name) return std::nullopt;
  return it->second;
}

std::span<const Roster::AccountPlace> Roster::keys_of(std::uint64_t account) const {
  if (account == 0) return {};
  return std::ranges::equal_range(by_account, account, {}, &AccountPlace::account);
}

Roster make_roster(std::span<const UpstreamKey> keys, std::span<const std::shared_ptr<const PooledKey>> known) {
  Roster roster;
  const std::size_t room = keys.size() + keys.size() / 8;  // so that a few more do not move all of them
  roster.slots.reserve(room);
  roster.records.reserve(room);
  roster.records.resize(keys.size());
  roster.by_id.reserve(room);
  roster.limits.reserve(keys.size());
  roster.priorities = sorted_priorities(keys);
  const bool limited = std::any_of(keys.begin(), keys.end(), [](const UpstreamKey& key) {
    return key.group.empty() && LimitAccount::limited(key.limits);
  });
  if (limited) roster.limit_accounts.resize(keys.size());
  std::unordered_map<std::string_view, std::uint32_t> groups;
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    const UpstreamKey& key = keys[i];
    roster.records[i].key = pooled(key, known);
    Slot& slot = roster.slots.emplace_back(make_slot(key, roster.records[i].key.get(), i));
    const auto tier = std::lower_bound(roster.priorities.begin(), roster.priorities.end(), key.priority);
    slot.tier = static_cast<std::uint16_t>(tier - roster.priorities.begin());
    roster.by_id.push_back({key.id, i});
    roster.limits.push_back(key.limits);
    if (key.group.empty()) continue;
    const auto [group, added] = groups.try_emplace(key.group, static_cast<std::uint32_t>(roster.groups.size()));
    if (added) {
      const PairOwner pair = PairOwner::of_group(key.group);
      QuotaGroup& made = roster.groups.emplace_back();
      made.name = key.group;
      made.pair = pair;
      roster.group_of_owner.emplace(pair.value, group->second);
    }
    roster.groups[group->second].members.push_back(i);
    slot.group = group->second;
  }
  note_accounts(keys, roster);
  std::sort(roster.by_id.begin(), roster.by_id.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return roster;
}

}  // namespace akr
