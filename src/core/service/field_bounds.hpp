// field_bounds.hpp - is a value within the bounds that the list of fields gives it?  Pure.
#pragma once

#include "base/result.hpp"
#include "core/service/fields.hpp"

namespace akr {

// kInvalid with Error::field and a message that names the field, what is allowed and, for numbers, the value.
template <class Owner>
Result<void> check_bounds(const Field<Owner>& field, const Owner& object);

// "limits.rpm": as errors name it.
template <class Owner>
std::string place_of(const Field<Owner>& field) {
  return field.group.empty() ? std::string(field.name) : std::string(field.group) + "." + std::string(field.name);
}

}  // namespace akr
