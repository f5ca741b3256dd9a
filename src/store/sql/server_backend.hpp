// server_backend.hpp - what all database servers have in common: copies are tables beside the others, and files are
// their own business.
#pragma once

#include "store/sql/sql_backend.hpp"

namespace akr {

// Copies lie in the same database: akr_copy_<reason>[_<number>]_<table>.
class ServerBackend : public SqlBackend {
 public:
  Result<void> copy_to(const std::string& path) override;
  Result<std::string> keep_copy(soci::session& session, std::string_view reason) override;
  Result<void> scrub(soci::session& session, const std::string& prefix) override;
  std::vector<std::string> kept_copies(soci::session& session) override;
  OpenedCopy open_copy(const std::string& name) override;
};

}  // namespace akr
