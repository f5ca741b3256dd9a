// field_schema.hpp - the listed fields for programs: as entries of GET /admin/meta, and as JSON Schemas (2020-12) of
// the OpenAPI document.  Pure.
#pragma once

#include <span>

#include <boost/json.hpp>

#include "core/service/describe_fields.hpp"

namespace akr {

// [{"name", "group"?, "type", "unit"?, "minimum"?, "maximum"?, "min_length"?, "max_length"?, "choices"?, "applies_to",
//   "required", "nullable", "sealed"?, "default": {"GENERIC", "LLM"}, "description": {"en", "zh-CN"}}, ...]
boost::json::array meta_fields(std::span<const FieldInfo> fields);

// {"name": SCHEMA, ...}; fields of a group stand in an object of that name.  `nullable`: where the field takes null,
// the schema does too; for requests.
boost::json::object schema_properties(std::span<const FieldInfo> fields, bool nullable);

}  // namespace akr
