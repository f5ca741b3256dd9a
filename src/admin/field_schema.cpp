#include "admin/field_schema.hpp"

namespace akr {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

array applies_to(AppliesTo applies) {
  switch (applies) {
    case AppliesTo::kAllServices:
      return {"GENERIC", "LLM"};
    case AppliesTo::kGeneric:
      return {"GENERIC"};
    case AppliesTo::kLlm:
      return {"LLM"};
  }
  return {};
}

array choices_of(const FieldInfo& field) {
  array choices;
  for (const std::string_view choice : field.choices) choices.emplace_back(choice);
  return choices;
}

object both_languages(const Phrase& phrase) { return {{"en", phrase.en}, {"zh-CN", phrase.zh}}; }

object meta_field(const FieldInfo& field) {
  object out{{"name", field.name}};
  if (!field.group.empty()) out["group"] = field.group;
  out["type"] = field.type;
  if (field.milliseconds) out["unit"] = "ms";
  if (field.bounds) {
    const bool number = field.type == "integer";
    out[number ? "minimum" : "min_length"] = field.bounds->least;
    out[number ? "maximum" : "max_length"] = field.bounds->most;
  }
  if (!field.choices.empty()) out["choices"] = choices_of(field);
  out["applies_to"] = applies_to(field.applies);
  out["required"] = field.required;
  out["nullable"] = field.nullable;
  if (field.sealed) out["sealed"] = true;
  out["default"] = {{"GENERIC", field.generic}, {"LLM", field.llm}};
  if (!field.initial.empty()) out["default_description"] = both_languages(field.initial);
  out["description"] = both_languages(field.meaning);
  return out;
}

// What one entry of a list looks like: components of openapi.cpp.
object items_of(Entries entries) {
  const auto component = [](const char* name) -> object {
    return {{"$ref", "#/components/schemas/" + std::string(name)}};
  };
  switch (entries) {
    case Entries::kTexts:
      return {{"type", "string"}};
    case Entries::kServiceIds:
      return {{"type", "integer"}, {"minimum", 1}};
    case Entries::kUpstreams:
      return component("Upstream");
    case Entries::kAffinityRules:
      return component("AffinityRule");
    case Entries::kFailureRules:
      return component("FailureRule");
  }
  return {};
}

object schema_of(const FieldInfo& field, bool nullable) {
  object out;
  array types{field.type};
  if (nullable && field.named) types.emplace_back("string");
  if (nullable && field.nullable) types.emplace_back("null");
  out["type"] = types.size() == 1 ? types.front() : value(types);
  if (field.entries) out["items"] = items_of(*field.entries);
  if (field.bounds) {
    const bool number = field.type == "integer";
    out[number ? "minimum" : "minLength"] = field.bounds->least;
    out[number ? "maximum" : "maxLength"] = field.bounds->most;
  }
  if (!field.choices.empty()) {
    array choices = choices_of(field);
    if (nullable && field.nullable) choices.emplace_back(nullptr);
    out["enum"] = std::move(choices);
  }
  if (field.generic == field.llm && !field.generic.is_null()) out["default"] = field.generic;
  out["description"] = field.meaning.en;
  return out;
}

}  // namespace

array meta_fields(std::span<const FieldInfo> fields) {
  array all;
  for (const FieldInfo& field : fields) all.push_back(meta_field(field));
  return all;
}

object schema_properties(std::span<const FieldInfo> fields, bool nullable) {
  object properties;
  for (const FieldInfo& field : fields) {
    if (field.group.empty()) {
      properties[field.name] = schema_of(field, nullable);
      continue;
    }
    object& group = properties.emplace(field.group, object{{"type", "object"}, {"properties", object()}})
                        .first->value()
                        .as_object();
    group["properties"].as_object()[field.name] = schema_of(field, nullable);
  }
  return properties;
}

}  // namespace akr
