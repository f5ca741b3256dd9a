// service_rows.hpp - a Service as a row of proxy_configs, and back.
//
// The table is the original's (its columns keep name and meaning) with ours beside them, one for each listed field
// (core/service/fields.hpp).  NULL in the column of a field that follows its default means "the default of this kind of
// service", so that PROXY_TIMEOUT reaches services that never set a timeout.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <soci/soci.h>

#include "core/service/service.hpp"
#include "store/key_cipher.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

class ServiceRows {
 public:
  ServiceRows(const KeyCipher& cipher, const SqlBackend& backend, std::chrono::milliseconds rest_total)
      : cipher_(cipher), backend_(backend), rest_total_(rest_total) {}

  // All three throw soci::soci_error.  `locked`: the egress proxy cannot be opened and stays empty.
  std::vector<Service> list(soci::session& session, bool locked) const;
  std::optional<Service> find(soci::session& session, ServiceId id, bool locked) const;
  // The same, and nobody else writes it, or adds keys to it, until the transaction ends.
  std::optional<Service> find_and_lock(soci::session& session, ServiceId id) const;

  // Inserts and sets id and revision, or overwrites the row whose id and revision fit; false: there is none.
  void insert(soci::session& session, Service& service) const;
  bool update(soci::session& session, Service& service) const;

 private:
  struct Row;
  std::vector<Service> select(soci::session& session, std::optional<ServiceId> id, bool locked,
                              std::string_view tail) const;
  Service to_service(Row& row, bool locked) const;  // takes the row's texts
  void open_egress_proxy(const std::string& sealed, Service& service) const;
  Row to_row(const Service& service) const;

  const KeyCipher& cipher_;
  const SqlBackend& backend_;
  std::chrono::milliseconds rest_total_;
};

}  // namespace akr
