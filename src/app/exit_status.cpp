#include "app/exit_status.hpp"

namespace akr {

int exit_status(const Error& error) {
  if (error.code == ErrorCode::kShuttingDown) return 0;
  if (error.code != ErrorCode::kStoreUnavailable) return kExitConfig;
  return error.field == kServerAway ? kExitAway : kExitStore;
}

}  // namespace akr
