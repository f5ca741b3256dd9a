#include "core/pool/model_waits.hpp"

namespace akr {

std::uint64_t ModelTag::hash(std::string_view name) {
  std::uint64_t h = 0xcbf29ce484222325ULL;  // FNV-1a: the same after a restart, on every machine
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return h == 0 ? 1 : h;
}

ModelWait& ModelWaits::open(PairOwner owner, const ModelTag& model, TimePoint now) {
  if (ModelWait* found = find(owner, model.hash())) return *found;
  if (waits_.size() >= kMost) make_room(now);
  ModelWait& added = waits_[{owner, model.hash()}];
  added.model = model.text();
  return added;
}

void ModelWaits::erase_all_of(PairOwner owner) {
  std::erase_if(waits_, [owner](const auto& each) { return each.first.owner == owner; });
}

void ModelWaits::make_room(TimePoint now) {
  // An expired wait still remembers how often it was doubled; that may go after an hour.
  if (now >= next_sweep_) {
    next_sweep_ = now + std::chrono::minutes(1);  // a full table of live waits must not be walked for each new one
    const TimePoint long_ago = now - std::chrono::hours(1);
    std::erase_if(waits_, [now, long_ago](const auto& each) {
      return each.second.health.until < long_ago && each.second.paced_until < now;
    });
  }
  if (waits_.size() >= kMost) waits_.erase(waits_.begin());
}

}  // namespace akr
