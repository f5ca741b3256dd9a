#include "store/sql/sql_config_store.hpp"

#include "base/log.hpp"
#include "store/sql/run_statement.hpp"

namespace akr {
namespace {

Error locked_error() {
  return Error{ErrorCode::kLocked, "The database was written with another encryption key; nothing is changed or read."};
}

Error no_service(ServiceId id) { return Error{ErrorCode::kNotFound, "no service " + std::to_string(id.value)}; }
Error no_key(KeyId id) { return Error{ErrorCode::kNotFound, "no key " + std::to_string(id.value)}; }

// Nobody else writes it, or its list of keys, until the transaction ends.
bool lock_service(soci::session& session, const Dialect& dialect, ServiceId id) {
  long long found = 0;
  run(session, "SELECT id FROM proxy_configs WHERE id = :id" + std::string(dialect.lock_rows), soci::use(id.value),
      soci::into(found));
  return session.got_data();
}

std::size_t remove_keys(soci::session& session, ServiceId service) {
  soci::statement statement =
      prepared(session, "DELETE FROM api_keys WHERE proxy_config_id = :service", soci::use(service.value));
  statement.execute(true);
  return static_cast<std::size_t>(statement.get_affected_rows());
}

}  // namespace

template <class Work>
auto SqlConfigStore::write(const SqlErrand& errand, Work work) -> decltype(work(std::declval<soci::session&>())) {
  if (parts_.locked) return locked_error();
  return parts_.writer.write(std::move(work), errand);
}

Result<std::vector<Service>> SqlConfigStore::list_services() {
  return parts_.reader.read(
      [&](soci::session& session) -> Result<std::vector<Service>> { return services_.list(session, parts_.locked); });
}

Result<Service> SqlConfigStore::find_service(ServiceId id) {
  return parts_.reader.read([&](soci::session& session) -> Result<Service> {
    auto found = services_.find(session, id, parts_.locked);
    if (!found) return no_service(id);
    return *std::move(found);
  });
}

Result<Service> SqlConfigStore::add_service(const Service& service) {
  return write({.once = true}, [&](soci::session& session) -> Result<Service> {
    Service stored = service;
    stored.created_at = stored.updated_at = parts_.clock.wall();
    services_.insert(session, stored);
    return stored;
  });
}

Result<Service> SqlConfigStore::update_service(const Service& service) {
  return write({.once = true}, [&](soci::session& session) -> Result<Service> {
    const auto before = services_.find_and_lock(session, service.id);
    if (!before) return no_service(service.id);
    if (before->revision != service.revision) {
      return Error{.code = ErrorCode::kConflict, .message = "The service was changed meanwhile.", .field = "revision"};
    }
    Service stored = service;
    stored.created_at = before->created_at;
    stored.updated_at = parts_.clock.wall();
    if (!services_.update(session, stored)) return no_service(service.id);
    return stored;
  });
}

// A server's deadline grows with what there is to do.
Result<std::size_t> SqlConfigStore::keys_of(ServiceId service) {
  if (!parts_.backend.dialect().is_server) return 0;
  return parts_.reader.read([&](soci::session& session) -> Result<std::size_t> {
    long long count = 0;
    run(session, "SELECT count(*) FROM api_keys WHERE proxy_config_id = :service", soci::use(service.value),
        soci::into(count));
    return static_cast<std::size_t>(count);
  });
}

Result<void> SqlConfigStore::delete_service(ServiceId id) {
  const auto keys = keys_of(id);
  if (!keys) return keys.error();
  return write({.rows = *keys, .once = true}, [&](soci::session& session) -> Result<void> {
    if (!lock_service(session, parts_.backend.dialect(), id)) return no_service(id);
    remove_keys(session, id);
    run(session, "DELETE FROM key_states WHERE service_id = :id", soci::use(id.value));
    run(session, "DELETE FROM key_pins WHERE service_id = :id", soci::use(id.value));
    run(session, "DELETE FROM proxy_configs WHERE id = :id", soci::use(id.value));
    return {};
  });
}

Result<std::vector<UpstreamKey>> SqlConfigStore::list_keys(ServiceId service) {
  return open_keys(service, [&](soci::session& session) { return keys_.list(session, service); });
}

Result<std::vector<UpstreamKey>> SqlConfigStore::list_keys_after(ServiceId service, KeyId after) {
  return open_keys(service, [&](soci::session& session) { return keys_.list_after(session, service, after); });
}

template <class Select>
Result<std::vector<UpstreamKey>> SqlConfigStore::open_keys(ServiceId service, Select select) {
  if (parts_.locked) return locked_error();
  const auto count = keys_of(service);
  if (!count) return count.error();
  auto rows = parts_.reader.read(
      [&](soci::session& session) -> Result<std::vector<KeyRows::Sealed>> { return select(session); },
      {.rows = *count});
  if (!rows) return rows.error();
  std::vector<UpstreamKey> keys;
  keys.reserve(rows->size());
  std::size_t unreadable = 0;
  for (const KeyRows::Sealed& row : *rows) {
    keys.push_back(keys_.open(row));
    unreadable += !keys.back().readable;
  }
  if (unreadable > 0) log_error("keys_unreadable", {{"service_id", service.value}, {"count", unreadable}});
  return keys;
}

Result<std::vector<AddedKey>> SqlConfigStore::add_keys(ServiceId service, std::span<const NewKey> keys) {
  return write({.rows = keys.size(), .once = true}, [&](soci::session& session) -> Result<std::vector<AddedKey>> {
    if (!lock_service(session, parts_.backend.dialect(), service)) return no_service(service);
    return keys_.add(session, service, keys, parts_.clock.wall(), parts_.key_ids);
  });
}

Result<UpstreamKey> SqlConfigStore::find_key(KeyId id) {
  if (parts_.locked) return locked_error();
  return parts_.reader.read([&](soci::session& session) -> Result<UpstreamKey> {
    const auto row = keys_.find(session, id);
    if (!row) return no_key(id);
    return keys_.open(*row);
  });
}

Result<UpstreamKey> SqlConfigStore::edit_key(KeyId id, const KeyEdit& edit) {
  return write({.once = true}, [&](soci::session& session) -> Result<UpstreamKey> {
    const auto row = keys_.find_and_lock(session, id);
    if (!row) return no_key(id);
    UpstreamKey key = keys_.open(*row);
    if (auto edited = edit(key); !edited) return edited.error();
    keys_.update(session, key);
    return key;
  });
}

Result<ServiceId> SqlConfigStore::delete_key(KeyId id) {
  return write({.once = true}, [&](soci::session& session) -> Result<ServiceId> {
    const auto row = keys_.find_and_lock(session, id);
    if (!row) return no_key(id);
    run(session, "DELETE FROM api_keys WHERE id = :id", soci::use(id.value));
    return ServiceId{row->service};
  });
}

Result<std::size_t> SqlConfigStore::delete_keys(ServiceId service) {
  const auto keys = keys_of(service);
  if (!keys) return keys.error();
  return write({.rows = *keys, .once = true}, [&](soci::session& session) -> Result<std::size_t> {
    if (!lock_service(session, parts_.backend.dialect(), service)) return no_service(service);
    return remove_keys(session, service);
  });
}

}  // namespace akr
