#include "net/server/address_shares.hpp"

#include <random>

namespace akr::net {
namespace {

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

AddressShares::AddressShares(std::size_t most) : most_(most), held_(0, Hash{random_seed()}) {}

bool AddressShares::take(const IpAddress& address, Lease& lease) {
  lease.release();
  if (most_ == 0) return true;
  const IpAddress network = client_network(address);
  std::size_t& held = held_[network];
  if (held >= most_) return false;
  ++held;
  lease.shares_ = this;
  lease.network_ = network;
  return true;
}

void AddressShares::Lease::release() {
  if (shares_ == nullptr) return;
  const auto found = shares_->held_.find(network_);
  if (--found->second == 0) shares_->held_.erase(found);
  shares_ = nullptr;
}

}  // namespace akr::net
