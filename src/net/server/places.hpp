// places.hpp - one worker's places for client connections: who gets one, and who leaves when room is needed.
//
//   silent   no request yet: just accepted, PROXY header, TLS handshake, first head
//   idle     between requests (also: lingering after the last answer)
//   busy     a request is being answered; never evicted
//
// When all ordinary places are taken, the silent connection that came first leaves; then the one that has been idle
// longest.  A few silent ones that are younger than `grace` are spared before idle ones, else under load every newcomer
// would push out the one before it and nobody would get an answer; in a flood of them nobody is.
// If everybody is busy, or a client address has its share, the newcomer gets one of
// the reserved places, where only operators' requests are served (RequestHandler::for_operators): a health check is
// answered whatever happens.  Among those the oldest that is not busy leaves.  All O(1).  One worker thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "net/loop/socket.hpp"
#include "net/server/address_shares.hpp"

namespace akr::net {

struct PlaceLimits {
  std::size_t ordinary = 10'000;
  std::size_t reserved = 16;
  std::size_t per_address = 0;  // 0 = no share
  std::chrono::milliseconds grace{1000};
};

// Why a connection or request has no ordinary place.
enum class NoPlace : std::uint8_t { kNone, kFull, kShare };

class Places;

// A connection's place.  Leaves by itself; the list and the socket outlive its stay.
class Place {
 public:
  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place();

  bool evicted() const { return evicted_; }           // its socket is closed: end
  NoPlace restricted() const { return restricted_; }  // kNone: an ordinary place

 private:
  friend class Places;
  enum class Stay : std::uint8_t { kNone, kSilent, kIdle, kReserved, kBusy };
  Places* places_ = nullptr;
  Socket* socket_ = nullptr;
  Place* prev_ = nullptr;
  Place* next_ = nullptr;
  TimePoint since_{};
  AddressShares::Lease share_;
  Stay stay_ = Stay::kNone;
  NoPlace restricted_ = NoPlace::kNone;
  bool evicted_ = false;
};

class Places {
 public:
  explicit Places(const PlaceLimits& limits);

  // A new connection, silent.  `client`: counted against its share; nullptr = not known yet, or exempt.
  // False: there is no place of any kind.
  bool enter(Place& place, Socket& socket, const IpAddress* client, TimePoint now);
  // What enter() does with a client that becomes known later.
  bool count(Place& place, const IpAddress& client);
  // A request head is complete / its answer is done.
  void begin_request(Place& place);
  void end_request(Place& place, TimePoint now);

  // Descriptors ran out: one connection leaves, however young.  False if all are busy.
  bool evict_one();

  AddressShares& shares() { return shares_; }
  std::size_t open() const { return ordinary_ + reserved_; }
  std::uint64_t evicted() const { return evicted_; }

 private:
  friend class Place;
  using Stay = Place::Stay;
  struct List {
    Place* first = nullptr;
    Place* last = nullptr;
    std::size_t size = 0;
  };
  List* list_of(Stay stay);
  void link(Place& place, Stay stay, TimePoint now);
  void unlink(Place& place);
  void leave(Place& place);
  bool restrict_to_reserve(Place& place, NoPlace why);
  bool make_room(TimePoint now);
  bool evict_oldest(List& list);

  const PlaceLimits limits_;
  AddressShares shares_;
  List silent_;
  List idle_;
  List reserved_waiting_;  // reserved places that are not busy
  std::size_t ordinary_ = 0;
  std::size_t reserved_ = 0;
  std::uint64_t evicted_ = 0;
};

}  // namespace akr::net
