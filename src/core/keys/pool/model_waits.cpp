#include "core/keys/pool/model_waits.hpp"

#include <iterator>

namespace akr {

std::uint64_t ModelTag::hash(std::string_view name) {
  std::uint64_t h = 0xcbf29ce484222325ULL;  // FNV-1a: the same after a restart, on every machine
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return h == 0 ? 1 : h;
}

ModelHold hold_of(const ModelWait& wait, TimePoint now) {
  const Gate state = peek(wait.health, now);
  const bool shut = state == Gate::kShut || state == Gate::kOnTrial;
  const bool paced = wait.paced_until > now;
  if (!shut && !paced) return {};
  const TimePoint shut_until = shut ? wait.health.next_try : now;
  const bool by_pace = !shut || (paced && wait.paced_until > shut_until);
  const TimePoint until = by_pace ? wait.paced_until : shut_until;
  return {.holds = true,
          .hopeless = shut && wait.health.lacks_model,
          .by_clock = until > now,
          .until = until,
          .reason = by_pace ? to_string(KeyStanding::kPaced) : wait.health.reason};
}

ModelWait& ModelWaits::open(PairOwner owner, const ModelTag& model, TimePoint now) {
  if (ModelWait* found = find(owner, model.hash())) return *found;
  if (waits_.size() >= kMost) make_room(now);
  Node& added = *waits_.try_emplace(Pair{owner, model.hash()}).first;
  added.second.wait.model = model.text();
  link(added);
  return added.second.wait;
}

void ModelWaits::erase(PairOwner owner, std::uint64_t model) {
  const auto it = waits_.find({owner, model});
  if (it != waits_.end()) remove(it);
}

void ModelWaits::erase_all_of(PairOwner owner) {
  for (auto first = first_of_.find(owner.value); first != first_of_.end(); first = first_of_.find(owner.value)) {
    remove(waits_.find(first->second->first));
  }
}

void ModelWaits::clear() {
  waits_.clear();
  first_of_.clear();
  places_.clear();
  free_.clear();
}

void ModelWaits::link(Node& node) {
  Node*& first = first_of_[node.first.owner.value];
  node.second.next = first;
  if (first != nullptr) first->second.before = &node;
  first = &node;
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(places_.size()));
    places_.push_back(nullptr);
  }
  node.second.place = free_.back();
  free_.pop_back();
  places_[node.second.place] = &node;
}

ModelWaits::Map::iterator ModelWaits::remove(Map::iterator at) {
  const Entry& entry = at->second;
  if (entry.next != nullptr) entry.next->second.before = entry.before;
  if (entry.before != nullptr) {
    entry.before->second.next = entry.next;
  } else if (entry.next != nullptr) {
    first_of_[at->first.owner.value] = entry.next;
  } else {
    first_of_.erase(at->first.owner.value);
  }
  places_[entry.place] = nullptr;
  free_.push_back(entry.place);
  return waits_.erase(at);
}

void ModelWaits::make_room(TimePoint now) {
  // An expired wait still remembers how often it was doubled; that may go after an hour.
  if (now >= next_sweep_) {
    next_sweep_ = now + std::chrono::minutes(1);  // a full table of live waits must not be walked for each new one
    const TimePoint long_ago = now - std::chrono::hours(1);
    for (auto it = waits_.begin(); it != waits_.end();) {
      const ModelWait& wait = it->second.wait;
      it = wait.health.until < long_ago && wait.paced_until < now ? remove(it) : std::next(it);
    }
  }
  if (waits_.size() >= kMost) remove(waits_.begin());
}

}  // namespace akr
