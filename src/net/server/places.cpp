#include "net/server/places.hpp"

#include <algorithm>

namespace akr::net {
namespace {

constexpr std::size_t kFewSilent = 16;  // or an eighth of all places: more at a time are a flood

}  // namespace

Place::~Place() {
  if (places_ != nullptr) places_->leave(*this);
}

Places::Places(const PlaceLimits& limits) : limits_(limits), shares_(limits.per_address) {}

bool Places::enter(Place& place, Socket& socket, const IpAddress* client, TimePoint now) {
  place.socket_ = &socket;
  place.since_ = now;
  if (client != nullptr && !shares_.take(*client, place.share_)) return restrict_to_reserve(place, NoPlace::kShare);
  if (ordinary_ >= limits_.ordinary && !make_room(now)) return restrict_to_reserve(place, NoPlace::kFull);
  place.places_ = this;
  ++ordinary_;
  link(place, Stay::kSilent, now);
  return true;
}

bool Places::count(Place& place, const IpAddress& client) {
  if (shares_.take(client, place.share_) || place.restricted_ != NoPlace::kNone) return true;
  leave(place);
  return restrict_to_reserve(place, NoPlace::kShare);
}

void Places::begin_request(Place& place) {
  unlink(place);
  place.stay_ = Stay::kBusy;
}

void Places::end_request(Place& place, TimePoint now) {
  link(place, place.restricted_ == NoPlace::kNone ? Stay::kIdle : Stay::kReserved, now);
}

bool Places::evict_one() { return evict_oldest(silent_) || evict_oldest(idle_) || evict_oldest(reserved_waiting_); }

// A share that is taken already is kept: the reserve is small, and whoever fills it shall be counted.
bool Places::restrict_to_reserve(Place& place, NoPlace why) {
  if (reserved_ >= limits_.reserved && !evict_oldest(reserved_waiting_)) return false;
  place.places_ = this;
  place.restricted_ = why;
  ++reserved_;
  link(place, Stay::kReserved, place.since_);
  return true;
}

bool Places::make_room(TimePoint now) {
  const std::size_t few = std::max<std::size_t>(kFewSilent, limits_.ordinary / 8);
  const bool spared = silent_.size <= few && silent_.first != nullptr && silent_.first->since_ > now - limits_.grace;
  return (!spared && evict_oldest(silent_)) || evict_oldest(idle_);
}

bool Places::evict_oldest(List& list) {
  Place* const oldest = list.first;
  if (oldest == nullptr) return false;
  leave(*oldest);
  oldest->evicted_ = true;
  ++evicted_;
  oldest->socket_->close();  // wakes its coroutine, which ends; the descriptor is free at once
  return true;
}

void Places::leave(Place& place) {
  unlink(place);
  --(place.restricted_ == NoPlace::kNone ? ordinary_ : reserved_);
  place.places_ = nullptr;
  place.share_.release();
}

Places::List* Places::list_of(Stay stay) {
  switch (stay) {
    case Stay::kSilent:
      return &silent_;
    case Stay::kIdle:
      return &idle_;
    case Stay::kReserved:
      return &reserved_waiting_;
    case Stay::kNone:
    case Stay::kBusy:
      break;
  }
  return nullptr;
}

void Places::link(Place& place, Stay stay, TimePoint now) {
  List& list = *list_of(stay);
  place.stay_ = stay;
  place.since_ = now;
  place.prev_ = list.last;
  place.next_ = nullptr;
  (list.last != nullptr ? list.last->next_ : list.first) = &place;
  list.last = &place;
  ++list.size;
}

void Places::unlink(Place& place) {
  if (List* const list = list_of(place.stay_)) {
    (place.prev_ != nullptr ? place.prev_->next_ : list->first) = place.next_;
    (place.next_ != nullptr ? place.next_->prev_ : list->last) = place.prev_;
    --list->size;
  }
  place.stay_ = Stay::kNone;
}

}  // namespace akr::net
