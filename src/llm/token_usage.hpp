// token_usage.hpp - how many tokens an answer says that it cost.  nullopt: it did not say.
#pragma once

#include <cstdint>
#include <optional>

namespace akr {

struct TokenUsage {
  std::optional<std::uint64_t> input;
  std::optional<std::uint64_t> output;
  std::optional<std::uint64_t> total;  // where the provider adds them up itself

  std::optional<std::uint64_t> sum() const {
    if (total) return total;
    if (!input && !output) return std::nullopt;
    return input.value_or(0) + output.value_or(0);
  }
};

}  // namespace akr
