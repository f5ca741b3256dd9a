// fields.hpp - THE lists of what people set on a service and on an upstream key: each field once.
//
// Made from them: JSON of the admin API (admin/wire_fields.hpp), columns and statements of the store
// (store/sql/field_cells.hpp), validation (validate.hpp), GET /admin/meta, the OpenAPI document, and the tables in
// docs/*/admin-api.md (describe_fields.hpp).  The default of a field is what a new object holds there (new_service(),
// NewKey{}): it stands once, where the member is declared.  The order is that of the JSON.
//
// Constants: any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/language.hpp"
#include "base/result.hpp"
#include "core/service/service.hpp"
#include "core/service/validate.hpp"

namespace akr {

// A field with a structure that one text can tell, the same text in JSON and in the store: "GET,POST".
template <class Owner>
struct Worded {
  // nullopt: the object has none, and JSON leaves the member out.
  std::optional<std::string> (*write)(const Owner&);
  // kInvalid with Error::field.  What can be used of a wrong text is taken all the same: a row that somebody edited by
  // hand serves as far as it can be read.
  Result<void> (*read)(std::string_view text, Owner&);
  std::string (*if_null)(const Owner&) = nullptr;  // what null in JSON stands for; nullptr: ""
};

// What the entries of a list are.
enum class Entries : std::uint8_t { kTexts, kServiceIds, kUpstreams, kAffinityRules, kFailureRules };

// A field that is a list, kept by the store as its JSON.
template <class Owner>
struct Listed {
  Result<void> (*read)(const boost::json::value&, Owner&);  // kInvalid with Error::field, and nothing changed
  boost::json::array (*write)(const Owner&);
  Entries entries;
  bool named = false;  // one text may stand for a whole list: the name of a built-in one, "*"
};

// Where the value is, which says of what kind it is.  Each kind has one reader and one writer for each of its forms.
template <class Owner>
using Member =
    std::variant<bool& (*)(Owner&), std::int32_t& (*)(Owner&), std::uint32_t& (*)(Owner&), std::uint64_t& (*)(Owner&),
                 std::chrono::milliseconds& (*)(Owner&), std::string& (*)(Owner&), Worded<Owner>, Listed<Owner>>;

// Numbers: least and greatest value.  Texts: least and greatest number of characters, of which none is a control; most
// == 0: only what `check` says.
struct Bounds {
  std::int64_t least = 0;
  std::int64_t most = 0;
};

enum class AppliesTo { kAllServices, kGeneric, kLlm };

template <class Owner>
struct Field {
  std::string_view name;  // on the wire, in errors, in documentation, and of the column
  Member<Owner> member;
  Bounds bounds = {};
  // Which texts there are, for documentation and the console; `check` refuses others.
  std::vector<std::string_view> (*choices)(const KnownFormats&) = nullptr;
  // What the bounds cannot say.  kInvalid with Error::field.
  Result<void> (*check)(const Owner&, const ValidationPolicy&) = nullptr;
  AppliesTo applies = AppliesTo::kAllServices;
  std::string_view group = "";   // the JSON object that it stands in: "limits"
  bool required = false;         // a new object without it is refused, where it applies
  bool nullable = true;          // null in JSON stands for the default
  bool shown_if_set = false;     // JSON leaves the default out
  bool follows_default = false;  // the store keeps NULL for the default, so that a later default holds for it too
  bool sealed = false;           // may hold a password: encrypted in the store, masked in JSON
  Phrase initial = {};           // the default in words, where it is not one value
  Phrase meaning = {};
};

std::span<const Field<Service>> service_fields();

// For UpstreamKey and NewKey.
template <class Key>
std::span<const Field<Key>> key_fields();

// `member` only names a place, and does not change what is there.
template <class Owner, class T>
const T& look(T& (*member)(Owner&), const Owner& owner) {
  return member(const_cast<Owner&>(owner));
}

// One callable from several lambdas, for std::visit.
template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace akr
