// describe_fields.hpp - what the lists of fields say about each field, without the members: for GET /admin/meta, the
// OpenAPI document and the documentation.  Pure.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "core/service/fields.hpp"

namespace akr {

struct FieldInfo {
  std::string_view name;
  std::string_view group;  // the object that it stands in; "" = the service or key itself
  std::string_view type;   // JSON's: "boolean", "integer", "string" or "array"
  bool milliseconds = false;
  std::optional<Bounds> bounds;  // of integers; of strings, their length in characters
  std::vector<std::string_view> choices;
  std::optional<Entries> entries;  // of arrays
  bool named = false;              // of arrays: one text may stand for a whole one
  AppliesTo applies = AppliesTo::kAllServices;
  bool required = false;
  bool nullable = true;
  bool sealed = false;
  boost::json::value generic;  // the default by type of service; null: none, or it is told in `initial`
  boost::json::value llm;      // for keys the same
  Phrase initial;
  Phrase meaning;
};

// `rest_total` is PROXY_TIMEOUT; kTellSetting stands for "whatever it is" and is told by its name in documentation.
inline constexpr std::chrono::milliseconds kTellSetting{-1};
std::vector<FieldInfo> describe_service_fields(std::chrono::milliseconds rest_total, const KnownFormats& known);
std::vector<FieldInfo> describe_key_fields();

// The rows of a table: member, type, default, allowed, meaning; with its head.
std::string fields_markdown(std::span<const FieldInfo> fields, Language language);

// As JSON; a password is shown.  nullopt: the object has none.
template <class Owner>
std::optional<boost::json::value> field_value(const Field<Owner>& field, const Owner& object);

}  // namespace akr
