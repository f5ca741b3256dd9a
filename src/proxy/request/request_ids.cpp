#include "proxy/request/request_ids.hpp"

#include <algorithm>
#include <random>
#include <string_view>

namespace akr {
namespace {

constexpr std::size_t kLongest = 128;

bool is_harmless(std::string_view id) {
  if (id.empty() || id.size() > kLongest) return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
           c == '.' || c == ':';
  });
}

// SplitMix64.
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

RequestIds::RequestIds() : state_(std::uint64_t{std::random_device()()} << 32 | std::random_device()()) {}

std::string RequestIds::id_of(const net::MessageHead& head) {
  const std::string_view given = head.find(net::FieldId::kXRequestId);
  if (is_harmless(given)) return std::string(given);
  constexpr char kDigits[] = "0123456789abcdefghjkmnpqrstvwxyz";
  std::uint64_t bits = next_random(state_);
  std::string id(13, '0');
  for (char& c : id) {
    c = kDigits[bits & 31];
    bits >>= 5;
  }
  return id;
}

}  // namespace akr
