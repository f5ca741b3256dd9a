#include "core/keys/pool/affinity_map.hpp"

namespace akr {

std::optional<AffinityMap::Hint> AffinityMap::glance(std::uint64_t conversation) const {
  const Index::Cell* cell = index_.look(conversation);
  if (cell == nullptr) return std::nullopt;
  __builtin_prefetch(&entries_[cell->place], 1);
  return cell->note;
}

std::optional<AffinityMap::Place> AffinityMap::find(std::uint64_t conversation, TimePoint now) const {
  const Index::Cell* cell = index_.look(conversation);
  if (cell == nullptr) return std::nullopt;
  const Entry& entry = entries_[cell->place];
  if (entry.newer != kNone) __builtin_prefetch(&entries_[entry.newer], 1);
  if (entry.older != kNone) __builtin_prefetch(&entries_[entry.older], 1);
  if (now - entry.used >= kTimeToLive) return std::nullopt;  // its place is taken over when the conversation goes on
  return Place{.key = entry.key, .slot = cell->note.slot};
}

void AffinityMap::touch(std::uint64_t conversation, TimePoint now) {
  const std::uint32_t at = index_.find(conversation);
  if (at == kNone) return;
  entries_[at].used = now;
  move_to_newest(at);
}

void AffinityMap::pin(std::uint64_t conversation, const Place& place, TimePoint now, std::uint32_t ready) {
  if (const Index::Cell* cell = index_.look(conversation)) {
    index_.set_note(*cell, {place.slot, ready});
    entries_[cell->place].key = place.key;
    entries_[cell->place].used = now;
    move_to_newest(cell->place);
    return;
  }
  std::uint32_t at = oldest_;
  if (oldest_ != kNone && (entries_.size() >= kMost || now - entries_[oldest_].used >= kTimeToLive)) {
    unlink(at);
    index_.erase(entries_[at].conversation);
  } else {
    at = static_cast<std::uint32_t>(entries_.size());
    entries_.emplace_back();
  }
  index_.insert(conversation, at, {place.slot, ready});
  entries_[at].conversation = conversation;
  entries_[at].key = place.key;
  entries_[at].used = now;
  push_newest(at);
}

void AffinityMap::move_to_newest(std::uint32_t i) {
  if (i == newest_) return;
  unlink(i);
  push_newest(i);
}

void AffinityMap::unlink(std::uint32_t i) {
  const Entry& entry = entries_[i];
  (entry.newer == kNone ? newest_ : entries_[entry.newer].older) = entry.older;
  (entry.older == kNone ? oldest_ : entries_[entry.older].newer) = entry.newer;
}

void AffinityMap::push_newest(std::uint32_t i) {
  entries_[i].newer = kNone;
  entries_[i].older = newest_;
  (newest_ == kNone ? oldest_ : entries_[newest_].newer) = i;
  newest_ = i;
}

}  // namespace akr
