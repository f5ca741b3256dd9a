// address_shares.hpp - how many places each client address holds, so that none holds them all.  One worker thread.
//
// IPv6 counts by /64.  An address is in the table only while it holds something: it is never larger than the number of
// connections and requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "base/ip_address.hpp"

namespace akr::net {

class AddressShares {
 public:
  // `most` for one address; 0 = no limit, and nothing is counted.
  explicit AddressShares(std::size_t most);

  // One place; gives itself back.  The table outlives it.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept : shares_(std::exchange(other.shares_, nullptr)), network_(other.network_) {}
    Lease& operator=(Lease&& other) noexcept {
      release();
      shares_ = std::exchange(other.shares_, nullptr);
      network_ = other.network_;
      return *this;
    }
    ~Lease() { release(); }
    void release();

   private:
    friend class AddressShares;
    AddressShares* shares_ = nullptr;
    IpAddress network_;
  };

  // False if `address` has its share already.
  bool take(const IpAddress& address, Lease& lease);
  std::size_t addresses() const { return held_.size(); }

 private:
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const IpAddress& address) const { return hash_of(address, seed); }
  };
  const std::size_t most_;
  std::unordered_map<IpAddress, std::size_t, Hash> held_;
};

}  // namespace akr::net
