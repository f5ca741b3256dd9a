// ids.hpp - identities that cannot be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace akr {

template <class Tag>
struct Id {
  std::int64_t value = 0;
  friend auto operator<=>(Id, Id) = default;
};

using ServiceId = Id<struct ServiceTag>;
using KeyId = Id<struct KeyTag>;

}  // namespace akr

template <class Tag>
struct std::hash<akr::Id<Tag>> {
  std::size_t operator()(akr::Id<Tag> id) const noexcept { return std::hash<std::int64_t>()(id.value); }
};
