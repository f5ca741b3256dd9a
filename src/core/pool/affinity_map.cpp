#include "core/pool/affinity_map.hpp"

namespace akr {

std::optional<KeyId> AffinityMap::find(std::uint64_t conversation, TimePoint now) const {
  const auto it = index_.find(conversation);
  if (it == index_.end()) return std::nullopt;
  const Entry& entry = entries_[it->second];
  if (now - entry.used >= kTimeToLive) return std::nullopt;  // its place is taken over when the conversation goes on
  return entry.key;
}

void AffinityMap::touch(std::uint64_t conversation, TimePoint now) {
  const auto it = index_.find(conversation);
  if (it == index_.end()) return;
  entries_[it->second].used = now;
  unlink(it->second);
  push_newest(it->second);
}

void AffinityMap::pin(std::uint64_t conversation, KeyId key, TimePoint now) {
  const auto it = index_.find(conversation);
  std::uint32_t place = kNone;
  if (it != index_.end()) {
    place = it->second;
    unlink(place);
  } else if (oldest_ != kNone && (entries_.size() >= kMost || now - entries_[oldest_].used >= kTimeToLive)) {
    place = oldest_;
    unlink(place);
    auto node = index_.extract(entries_[place].conversation);  // reused: no allocation once the map is full
    node.key() = conversation;
    index_.insert(std::move(node));
  } else {
    place = static_cast<std::uint32_t>(entries_.size());
    entries_.emplace_back();
    index_.emplace(conversation, place);
  }
  entries_[place].conversation = conversation;
  entries_[place].key = key;
  entries_[place].used = now;
  push_newest(place);
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
