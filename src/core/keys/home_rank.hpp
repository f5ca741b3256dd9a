// home_rank.hpp - in which order an access key likes the upstream keys for what it makes: two things that a later
// request names together must live in one account (behaviour.md D23).
//
// Rendezvous hashing: a key that comes or goes moves only those whose home it is.  The numbers are the same on every
// machine and in every version, because accounts are stored with pins.  Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "core/ids.hpp"

namespace akr {

// Stands for a text: an access key's fingerprint, the account of a key.  Never 0.  Not for anything secret.
std::uint64_t stable_hash(std::string_view text);

// The greater, the better.
struct HomeRank {
  std::uint64_t account = 0;  // keys of one account stand together
  std::uint64_t key = 0;
  friend auto operator<=>(const HomeRank&, const HomeRank&) = default;
};

// `home`: stable_hash() of whose home it is.  `account`: stable_hash() of UpstreamKey::account; 0 = the key has none,
// and is an account of its own.
HomeRank home_rank(std::uint64_t home, std::uint64_t account, KeyId key);

}  // namespace akr
