#include "app/build_name.hpp"

#include "store/open.hpp"

namespace akr {

std::string_view build_name() { return build_name(&is_built_in); }

std::string_view build_name(bool (*has)(DatabaseKind)) {
  bool all = true;
  bool any = false;
  for (const DatabaseKindRow& row : kDatabaseKinds) {
    if (!is_server(row.kind)) continue;
    all = all && has(row.kind);
    any = any || has(row.kind);
  }
  if (all) return "enterprise";
  return any ? "custom" : "light";
}

std::string not_in_this_build(DatabaseKind kind) {
  return "this build (" + std::string(build_name()) + ") has no " + std::string(row_of(kind).title) +
         ", which is part of the enterprise build (image api-key-rotator:enterprise, CMake preset enterprise)";
}

}  // namespace akr
