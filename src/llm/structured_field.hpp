// structured_field.hpp - HTTP fields that are lists of members with parameters (RFC 9651: `"a";r=0;t=30, "b";r=5`, and
// dictionaries: `limit=10, remaining=0`), read forgivingly: what is no such field gives members that nobody looks for.
//
// Views into the field; linear in its length; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace akr {

struct FieldMember {
  struct Parameter {
    std::string_view name;
    std::string_view value;  // without quotes; "" for a bare flag
  };
  std::string_view name;   // the item, without quotes, or a dictionary's key
  std::string_view value;  // of a dictionary's member; "" otherwise
  std::array<Parameter, 8> parameters;
  std::size_t count = 0;  // further parameters are left out

  std::optional<std::string_view> find(std::string_view parameter) const;
};

class FieldMembers {
 public:
  explicit FieldMembers(std::string_view field) : rest_(field) {}
  // nullopt after the last one.
  std::optional<FieldMember> next();

 private:
  std::string_view rest_;
};

}  // namespace akr
