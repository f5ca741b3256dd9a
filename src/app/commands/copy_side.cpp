#include "app/commands/copy_side.hpp"

#include "app/build_name.hpp"
#include "app/exit_status.hpp"
#include "base/error_table.hpp"
#include "config/backend_address.hpp"
#include "store/open.hpp"

namespace akr {
namespace {

Error wrong_side(std::string_view side, ErrorCode code, std::string message) {
  return with_side({.code = code, .message = std::move(message), .field = std::string(side)});
}

}  // namespace

Result<DatabaseAddress> read_copy_side(std::string_view side, std::string_view written, const Environment& variables) {
  constexpr std::string_view kVariable = "env:";
  std::string_view text = written;
  if (written.starts_with(kVariable)) {
    const std::string name(written.substr(kVariable.size()));
    const auto found = variables.find(name);
    if (found == variables.end() || found->second.empty()) {
      return wrong_side(side, ErrorCode::kInvalid, "there is no variable " + name + " in the environment or in .env");
    }
    text = found->second;
  }
  auto url = parse_database_url(text);
  if (!url) return wrong_side(side, ErrorCode::kInvalid, "this address cannot be used: " + url.error().message);
  auto address = complete_address(*std::move(url));
  if (!address) {
    return wrong_side(side, ErrorCode::kInvalid, "this address cannot be used: " + address.error().message);
  }
  if (!is_built_in(address->kind)) {
    return wrong_side(side, ErrorCode::kUnsupported, not_in_this_build(address->kind));
  }
  return address;
}

Error with_side(Error error) {
  if (error.field == kFromSide || error.field == kToSide) {
    error.message = "--" + error.field + ": " + for_logs(error.message);
  }
  return error;
}

int copy_exit_status(const Error& error, const DatabaseAddress& from, const DatabaseAddress& to) {
  if (error.code == ErrorCode::kConflict) return kExitRefused;
  const bool server =
      (error.field == kFromSide && is_server(from.kind)) || (error.field == kToSide && is_server(to.kind));
  if (server && error.code == ErrorCode::kStoreUnavailable) return kExitAway;
  return exit_status(error);
}

}  // namespace akr
