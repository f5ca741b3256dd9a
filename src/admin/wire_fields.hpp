// wire_fields.hpp - the listed fields (core/service/fields.hpp) as members of a JSON object: one reader and one writer
// per kind, the same for services and keys.
#pragma once

#include <boost/json.hpp>

#include "base/member_reader.hpp"
#include "core/service/fields.hpp"

namespace akr {

// Absent: stays.  null: what `fresh`, a new object, holds there.  What is wrong is kept in `in`.
template <class Owner>
void read_field(MemberReader& in, const Field<Owner>& field, Owner& object, const Owner& fresh);

// Adds the member, unless the object has none, or the field is shown only if it is set and holds nothing.  A password
// is masked.
template <class Owner>
void write_field(const Field<Owner>& field, const Owner& object, boost::json::object& out);

// The password of a URL replaced.
std::string mask_egress_proxy(const std::string& url);

}  // namespace akr
