#include "core/keys/home_rank.hpp"

#include "core/keys/selection/random_source.hpp"

namespace akr {
namespace {

std::uint64_t mixed(std::uint64_t value) { return Random(value).next(); }

}  // namespace

// FNV-1a, whose last bytes move its upper bits too little.
std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  hash = mixed(hash);
  return hash == 0 ? 1 : hash;
}

HomeRank home_rank(std::uint64_t home, std::uint64_t account, KeyId key) {
  const std::uint64_t own = mixed(home ^ mixed(static_cast<std::uint64_t>(key.value)));
  return {.account = account == 0 ? own : mixed(home ^ account), .key = own};
}

}  // namespace akr
