// sql_database.hpp - Database over any SqlBackend.
#pragma once

#include <chrono>
#include <memory>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "store/database.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

struct SqlSettings {
  Secret encryption_key;
  std::chrono::milliseconds rest_total{30'000};
  const Clock* clock = &system_clock();
  std::size_t most_sessions = 10;             // with a server
  std::chrono::milliseconds deadline{5'000};  // of one operation on it
};

// Connects, migrates and encrypts; see open.hpp.
Result<std::unique_ptr<Database>> open_sql_database(std::unique_ptr<SqlBackend> backend, const SqlSettings& settings);

}  // namespace akr
