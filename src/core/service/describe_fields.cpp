#include "core/service/describe_fields.hpp"

#include <concepts>

namespace akr {
namespace {

template <class Owner>
bool is_null_refused(const Field<Owner>& field) {
  return !field.nullable || (field.required && field.applies == AppliesTo::kAllServices);
}

template <class Owner>
FieldInfo describe(const Field<Owner>& field, const Owner& generic, const Owner& llm, const KnownFormats& known) {
  FieldInfo info{.name = field.name, .group = field.group};
  info.type = std::visit(Overloaded{
                             [](bool& (*)(Owner&)) { return "boolean"; },
                             []<std::integral Number>(Number& (*)(Owner&)) { return "integer"; },
                             [](std::chrono::milliseconds& (*)(Owner&)) { return "integer"; },
                             [](std::string& (*)(Owner&)) { return "string"; },
                             [](const Worded<Owner>&) { return "string"; },
                             [](const Listed<Owner>&) { return "array"; },
                         },
                         field.member);
  info.milliseconds = std::holds_alternative<std::chrono::milliseconds& (*)(Owner&)>(field.member);
  if (field.bounds.most > 0) info.bounds = field.bounds;
  if (field.choices != nullptr) info.choices = field.choices(known);
  if (const auto* listed = std::get_if<Listed<Owner>>(&field.member)) {
    info.entries = listed->entries;
    info.named = listed->named;
  }
  info.applies = field.applies;
  info.required = field.required;
  info.nullable = !is_null_refused(field);
  info.sealed = field.sealed;
  info.initial = field.initial;
  info.meaning = field.meaning;
  if (field.required || !field.initial.empty()) return info;
  info.generic = field_value(field, generic).value_or(nullptr);
  info.llm = field_value(field, llm).value_or(nullptr);
  return info;
}

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string value_text(const boost::json::value& value) {
  if (value.is_bool()) return value.get_bool() ? "`true`" : "`false`";
  if (value.is_array()) return "`[]`";
  if (value.is_string()) return value.get_string().empty() ? "`\"\"`" : code(std::string_view(value.get_string()));
  if (!value.is_int64()) return "";
  return value.get_int64() == kTellSetting.count() ? "PROXY_TIMEOUT" : std::to_string(value.get_int64());
}

std::string required_text(AppliesTo applies, Language language) {
  constexpr Phrase kRequired = {"required", "必填"};
  std::string word(kRequired.in(language));
  if (applies == AppliesTo::kAllServices) return word;
  const std::string type = applies == AppliesTo::kLlm ? "LLM" : "GENERIC";
  return language == Language::kEnglish ? word + " for " + type : type + " " + word;
}

std::string default_text(const FieldInfo& field, Language language) {
  if (field.required) return required_text(field.applies, language);
  if (!field.initial.empty()) return std::string(field.initial.in(language));
  if (field.generic == field.llm) return value_text(field.generic);
  constexpr Phrase kBetween = {", ", "，"};
  return "LLM " + value_text(field.llm) + std::string(kBetween.in(language)) + "GENERIC " + value_text(field.generic);
}

std::string bounds_text(const FieldInfo& field, Language language) {
  const std::string least = std::to_string(field.bounds->least);
  const std::string most = std::to_string(field.bounds->most);
  const bool english = language == Language::kEnglish;
  if (field.type == "integer") return least + (english ? " to " : " 到 ") + most;
  const std::string from = field.bounds->least > 0 ? least + (english ? " to " : " 到 ") : english ? "up to " : "最多 ";
  return from + most + (english ? " characters" : " 个字符");
}

std::string allowed_text(const FieldInfo& field, Language language) {
  std::string text;
  if (field.choices.empty()) return field.bounds ? bounds_text(field, language) : text;
  for (const std::string_view choice : field.choices) {
    if (!text.empty()) text += language == Language::kEnglish ? ", " : "、";
    text += code(choice);
  }
  return text;
}

std::string meaning_text(const FieldInfo& field, Language language) {
  std::string type;
  if (field.applies == AppliesTo::kGeneric) type = "GENERIC";
  if (field.applies == AppliesTo::kLlm) type = "LLM";
  if (field.required || type.empty()) return std::string(field.meaning.in(language));
  return type + (language == Language::kEnglish ? ": " : "：") + std::string(field.meaning.in(language));
}

}  // namespace

template <class Owner>
std::optional<boost::json::value> field_value(const Field<Owner>& field, const Owner& object) {
  using Json = std::optional<boost::json::value>;
  return std::visit(Overloaded{
                        [&](bool& (*at)(Owner&)) { return Json(look(at, object)); },
                        [&]<std::integral Number>(Number& (*at)(Owner&)) {
                          return Json(static_cast<std::int64_t>(look(at, object)));
                        },
                        [&](std::chrono::milliseconds& (*at)(Owner&)) { return Json(look(at, object).count()); },
                        [&](std::string& (*at)(Owner&)) { return Json(look(at, object)); },
                        [&](const Worded<Owner>& worded) {
                          const auto text = worded.write(object);
                          return text ? Json(*text) : Json();
                        },
                        [&](const Listed<Owner>& listed) { return Json(listed.write(object)); },
                    },
                    field.member);
}

template std::optional<boost::json::value> field_value(const Field<Service>&, const Service&);
template std::optional<boost::json::value> field_value(const Field<UpstreamKey>&, const UpstreamKey&);

std::vector<FieldInfo> describe_service_fields(std::chrono::milliseconds rest_total, const KnownFormats& known) {
  const Service generic = new_service(ServiceType::kGeneric, rest_total);
  const Service llm = new_service(ServiceType::kLlm, rest_total);
  std::vector<FieldInfo> all;
  for (const Field<Service>& field : service_fields()) all.push_back(describe(field, generic, llm, known));
  return all;
}

std::vector<FieldInfo> describe_key_fields() {
  std::vector<FieldInfo> all;
  for (const Field<UpstreamKey>& field : key_fields<UpstreamKey>()) all.push_back(describe(field, {}, {}, {}));
  return all;
}

std::string fields_markdown(std::span<const FieldInfo> fields, Language language) {
  constexpr Phrase kHead = {"| member | type | default | allowed | meaning |\n|---|---|---|---|---|\n",
                            "| 成员 | 类型 | 默认值 | 允许的值 | 含义 |\n|---|---|---|---|---|\n"};
  std::string out(kHead.in(language));
  for (const FieldInfo& field : fields) {
    const std::string name =
        field.group.empty() ? std::string(field.name) : std::string(field.group) + "." + std::string(field.name);
    for (const std::string& cell : {code(name), std::string(field.type), default_text(field, language),
                                    allowed_text(field, language), meaning_text(field, language)}) {
      out += cell.empty() ? "| " : "| " + cell + " ";
    }
    out += "|\n";
  }
  return out;
}

}  // namespace akr
