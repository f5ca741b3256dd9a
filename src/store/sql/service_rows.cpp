#include "store/sql/service_rows.hpp"

#include <utility>

#include "base/log.hpp"
#include "core/service/fields.hpp"
#include "core/service/service_parts.hpp"
#include "store/sql/field_cells.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sql/sql_time.hpp"

namespace akr {
namespace {

constexpr std::string_view kEgressProxy = "egress_proxy";

std::string select_text() {
  return "SELECT id, revision, created_at, updated_at, " + columns_of(service_fields()) + " FROM proxy_configs";
}

std::string insert_text() {
  return "INSERT INTO proxy_configs (" + columns_of(service_fields()) + ", created_at, updated_at, revision) VALUES (" +
         parameters_of(service_fields()) + ", :created, :updated, 1)";
}

std::string update_text() {
  return "UPDATE proxy_configs SET " + assignments_of(service_fields()) +
         ", created_at = :created, updated_at = :updated, revision = revision + 1"
         " WHERE id = :id AND revision = :revision";
}

}  // namespace

struct ServiceRows::Row {
  long long id = 0, revision = 0;
  std::string created, updated;
  soci::indicator has_created = soci::i_ok, has_updated = soci::i_ok;
  FieldCells<Service> fields{service_fields()};

  // In the order of select_text().
  void define(soci::statement& statement) {
    for (long long* number : {&id, &revision}) statement.exchange(soci::into(*number));
    statement.exchange(soci::into(created, has_created));
    statement.exchange(soci::into(updated, has_updated));
    fields.define(statement);
  }

  // Everything that insert_text() and update_text() have in common.
  void bind(soci::statement& statement) {
    fields.bind(statement);
    statement.exchange(soci::use(created, "created"));
    statement.exchange(soci::use(updated, "updated"));
  }
};

std::vector<Service> ServiceRows::list(soci::session& session, bool locked) const {
  return select(session, std::nullopt, locked, " ORDER BY id");
}

std::optional<Service> ServiceRows::find(soci::session& session, ServiceId id, bool locked) const {
  std::vector<Service> found = select(session, id, locked, "");
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::optional<Service> ServiceRows::find_and_lock(soci::session& session, ServiceId id) const {
  std::vector<Service> found = select(session, id, false, backend_.dialect().lock_rows);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Service> ServiceRows::select(soci::session& session, std::optional<ServiceId> id, bool locked,
                                         std::string_view tail) const {
  Row row;
  soci::statement statement(session);
  row.define(statement);
  long long wanted = id ? id->value : 0;
  if (id) statement.exchange(soci::use(wanted, "wanted"));
  statement.alloc();
  statement.prepare(select_text() + (id ? " WHERE id = :wanted" : "") + std::string(tail));
  statement.define_and_bind();
  std::vector<Service> services;
  for (bool more = statement.execute(true); more; more = statement.fetch()) services.push_back(to_service(row, locked));
  return services;
}

void ServiceRows::insert(soci::session& session, Service& service) const {
  Row row = to_row(service);
  row.fields[kEgressProxy].state = soci::i_null;  // sealed for its id, which is not known yet
  const Dialect& words = backend_.dialect();
  long long id = 0;
  soci::statement statement(session);
  if (!words.returning_id.empty()) statement.exchange(soci::into(id));
  row.bind(statement);
  statement.alloc();
  statement.prepare(insert_text() + std::string(words.returning_id));
  statement.define_and_bind();
  statement.execute(true);
  if (!words.last_id.empty()) run(session, words.last_id, soci::into(id));
  service.id = ServiceId{id};
  service.revision = 1;
  if (service.egress_proxy.empty()) return;
  const std::string egress_proxy = cipher_.seal(service.egress_proxy, egress_proxy_place(service.id));
  run(session, "UPDATE proxy_configs SET egress_proxy = :sealed WHERE id = :id", soci::use(egress_proxy),
      soci::use(id));
}

bool ServiceRows::update(soci::session& session, Service& service) const {
  Row row = to_row(service);
  soci::statement statement(session);
  row.bind(statement);
  statement.exchange(soci::use(row.id, "id"));
  statement.exchange(soci::use(row.revision, "revision"));
  statement.alloc();
  statement.prepare(update_text());
  statement.define_and_bind();
  statement.execute(true);
  ++service.revision;
  return statement.get_affected_rows() == 1;
}

Service ServiceRows::to_service(Row& row, bool locked) const {
  Service service;
  service.id = ServiceId{row.id};
  service.revision = row.revision;
  Cell sealed = std::exchange(row.fields[kEgressProxy], {});
  // The type first: what follows depends on it.
  static_cast<void>(parts::read_type(row.fields["config_type"].text, service));
  const Service fresh = new_service(service.type, rest_total_);
  const auto unreadable = row.fields.take(service, fresh);
  parts::drop_nameless_placement(service);
  // LLM services have a call of their own; an older program may have changed the type and left the path behind.
  if (service.type == ServiceType::kLlm) service.validation_path.clear();
  // A program of version 2 writes target_url and knows nothing of the list.
  if (!service.upstreams.empty()) service.upstreams.front().url = service.target_url;
  for (const auto& [field, error] : unreadable) {
    log_error(std::string(field) + "_unreadable", {{"service", service.slug}, {"message", error.message}});
  }
  service.created_at = from_sql_time(row.has_created == soci::i_null ? "" : row.created);
  service.updated_at = from_sql_time(row.has_updated == soci::i_null ? "" : row.updated);
  if (!locked && sealed.state != soci::i_null && !sealed.text.empty()) open_egress_proxy(sealed.text, service);
  return service;
}

void ServiceRows::open_egress_proxy(const std::string& sealed, Service& service) const {
  if (const auto opened = cipher_.open(sealed, egress_proxy_place(service.id))) {
    service.egress_proxy = std::string(opened->expose());
    return;
  }
  // Without its proxy the service would reach the upstream from an address the operator did not want: off it is.
  log_error("egress_proxy_unreadable", {{"service", service.slug}});
  service.active = false;
}

ServiceRows::Row ServiceRows::to_row(const Service& service) const {
  Row row;
  row.id = service.id.value;
  row.revision = service.revision;
  row.fields.fill(service, new_service(service.type, rest_total_));
  if (!service.egress_proxy.empty()) {
    row.fields[kEgressProxy].text = cipher_.seal(service.egress_proxy, egress_proxy_place(service.id));
  }
  row.created = to_sql_time(service.created_at, backend_.dialect());
  row.updated = to_sql_time(service.updated_at, backend_.dialect());
  return row;
}

}  // namespace akr
