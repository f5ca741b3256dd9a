#include "store/sql/service_rows.hpp"

#include "base/log.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sql/service_lists.hpp"
#include "store/sql/sql_time.hpp"

namespace akr {
namespace {

constexpr long long kDefault = -1;  // stands for NULL: no value of ours is negative

constexpr std::string_view kSelect =
    "SELECT id, revision, name, slug, upper(config_type), coalesce(is_active, 0), lower(coalesce(api_key_location, "
    "'')),"
    " coalesce(api_key_name, ''), coalesce(api_key_prefix, ''), coalesce(method, ''), coalesce(target_url, ''),"
    " coalesce(target_base_url, ''), coalesce(api_format, ''), coalesce(output_format, ''), coalesce(egress_proxy, ''),"
    " coalesce(connect_timeout_ms, -1), coalesce(first_byte_timeout_ms, -1), coalesce(stream_idle_timeout_ms, -1),"
    " coalesce(total_timeout_ms, -1), coalesce(max_attempts, -1), coalesce(retry_budget_ms, -1),"
    " coalesce(retry_non_idempotent, -1), coalesce(selection_policy, 'round_robin'), auto_disable, accept_body_key, "
    "stream_uploads, allow_set_cookie,"
    " coalesce(failure_rules, ''), invalid_after, outage_guard, wait_for_key_ms,"
    " coalesce(upstreams, ''), coalesce(fallbacks, ''), coalesce(affinity_rules, ''), coalesce(validation_path, ''),"
    " retry_on_empty, coalesce(created_at, ''), coalesce(updated_at, '') FROM proxy_configs";

constexpr std::string_view kInsert =
    "INSERT INTO proxy_configs (name, slug, config_type, is_active, api_key_location, api_key_name, api_key_prefix,"
    " method, target_url, target_base_url, api_format, output_format, egress_proxy, connect_timeout_ms,"
    " first_byte_timeout_ms, stream_idle_timeout_ms, total_timeout_ms, max_attempts, retry_budget_ms,"
    " retry_non_idempotent, selection_policy, auto_disable, accept_body_key, stream_uploads, allow_set_cookie, "
    "failure_rules, invalid_after, outage_guard, wait_for_key_ms, upstreams, fallbacks, affinity_rules,"
    " validation_path, retry_on_empty, created_at, updated_at, revision)"
    " VALUES (:name, :slug, :type, :active, nullif(:location, ''), nullif(:key_name, ''), nullif(:prefix, ''),"
    " nullif(:method, ''), nullif(:target_url, ''), nullif(:target_base_url, ''), nullif(:api_format, ''),"
    " nullif(:output_format, ''), nullif(:egress_proxy, ''), nullif(:connect, -1), nullif(:first_byte, -1),"
    " nullif(:stream_idle, -1), nullif(:total, -1), nullif(:max_attempts, -1), nullif(:budget, -1),"
    " nullif(:retry_post, -1), :policy, :auto_disable, :body_key, :stream_uploads, :set_cookie,"
    " nullif(:failure_rules, ''), :invalid_after, :outage_guard, :wait_for_key,"
    " nullif(:upstreams, ''), nullif(:fallbacks, ''), nullif(:affinity_rules, ''), nullif(:validation_path, ''),"
    " :retry_on_empty, :created, :updated, 1)";

constexpr std::string_view kUpdate =
    "UPDATE proxy_configs SET name = :name, slug = :slug, config_type = :type, is_active = :active,"
    " api_key_location = nullif(:location, ''), api_key_name = nullif(:key_name, ''),"
    " api_key_prefix = nullif(:prefix, ''), method = nullif(:method, ''), target_url = nullif(:target_url, ''),"
    " target_base_url = nullif(:target_base_url, ''), api_format = nullif(:api_format, ''),"
    " output_format = nullif(:output_format, ''), egress_proxy = nullif(:egress_proxy, ''),"
    " connect_timeout_ms = nullif(:connect, -1), first_byte_timeout_ms = nullif(:first_byte, -1),"
    " stream_idle_timeout_ms = nullif(:stream_idle, -1), total_timeout_ms = nullif(:total, -1),"
    " max_attempts = nullif(:max_attempts, -1), retry_budget_ms = nullif(:budget, -1),"
    " retry_non_idempotent = nullif(:retry_post, -1), selection_policy = :policy, auto_disable = :auto_disable, "
    "accept_body_key = :body_key, stream_uploads = :stream_uploads,"
    " allow_set_cookie = :set_cookie, failure_rules = nullif(:failure_rules, ''), invalid_after = :invalid_after,"
    " outage_guard = :outage_guard, wait_for_key_ms = :wait_for_key,"
    " upstreams = nullif(:upstreams, ''), fallbacks = nullif(:fallbacks, ''),"
    " affinity_rules = nullif(:affinity_rules, ''), validation_path = nullif(:validation_path, ''),"
    " retry_on_empty = :retry_on_empty, created_at = :created, updated_at = :updated, "
    "revision = revision + 1"
    " WHERE id = :id AND revision = :revision";

// The default is stored as NULL.  Whoever sets the default's own value by hand follows the default from then on.
long long unless_default(long long value, long long standard) { return value == standard ? kDefault : value; }
long long or_default(long long stored, long long standard) { return stored == kDefault ? standard : stored; }

}  // namespace

struct ServiceRows::Row {
  long long id = 0, revision = 0;
  std::string name, slug, type;
  int active = 0;
  std::string location, key_name, prefix, target_url, target_base_url, api_format, output_format, egress_proxy;
  long long connect = kDefault, first_byte = kDefault, stream_idle = kDefault, total = kDefault;
  long long max_attempts = kDefault, budget = kDefault, retry_post = kDefault;
  std::string policy;
  int auto_disable = 1;
  int body_key = 0, stream_uploads = 0, set_cookie = 0;
  ServiceLists lists;
  int invalid_after = 2, outage_guard = 1;
  long long wait_for_key = 0;
  std::string validation_path;
  int retry_on_empty = 0;
  std::string created, updated;

  // In the order of kSelect.
  void define(soci::statement& statement) {
    for (long long* number : {&id, &revision}) statement.exchange(soci::into(*number));
    for (std::string* text : {&name, &slug, &type}) statement.exchange(soci::into(*text));
    statement.exchange(soci::into(active));
    for (std::string* text : {&location, &key_name, &prefix, &lists.methods, &target_url, &target_base_url, &api_format,
                              &output_format, &egress_proxy}) {
      statement.exchange(soci::into(*text));
    }
    for (long long* number : {&connect, &first_byte, &stream_idle, &total, &max_attempts, &budget, &retry_post}) {
      statement.exchange(soci::into(*number));
    }
    statement.exchange(soci::into(policy));
    for (int* flag : {&auto_disable, &body_key, &stream_uploads, &set_cookie}) statement.exchange(soci::into(*flag));
    statement.exchange(soci::into(lists.failure_rules));
    for (int* number : {&invalid_after, &outage_guard}) statement.exchange(soci::into(*number));
    statement.exchange(soci::into(wait_for_key));
    for (std::string* text : {&lists.upstreams, &lists.fallbacks, &lists.affinity_rules, &validation_path}) {
      statement.exchange(soci::into(*text));
    }
    statement.exchange(soci::into(retry_on_empty));
    for (std::string* text : {&created, &updated}) statement.exchange(soci::into(*text));
  }

  // Everything that kInsert and kUpdate have in common.
  void bind(soci::statement& statement) {
    const std::pair<const char*, std::string*> texts[] = {{"name", &name},
                                                          {"slug", &slug},
                                                          {"type", &type},
                                                          {"location", &location},
                                                          {"key_name", &key_name},
                                                          {"prefix", &prefix},
                                                          {"method", &lists.methods},
                                                          {"target_url", &target_url},
                                                          {"target_base_url", &target_base_url},
                                                          {"api_format", &api_format},
                                                          {"output_format", &output_format},
                                                          {"egress_proxy", &egress_proxy},
                                                          {"policy", &policy},
                                                          {"failure_rules", &lists.failure_rules},
                                                          {"upstreams", &lists.upstreams},
                                                          {"fallbacks", &lists.fallbacks},
                                                          {"affinity_rules", &lists.affinity_rules},
                                                          {"validation_path", &validation_path},
                                                          {"created", &created},
                                                          {"updated", &updated}};
    for (auto [word, value] : texts) statement.exchange(soci::use(*value, word));
    const std::pair<const char*, long long*> numbers[] = {
        {"connect", &connect},       {"first_byte", &first_byte},     {"stream_idle", &stream_idle},
        {"total", &total},           {"max_attempts", &max_attempts}, {"budget", &budget},
        {"retry_post", &retry_post}, {"wait_for_key", &wait_for_key}};
    for (auto [word, value] : numbers) statement.exchange(soci::use(*value, word));
    const std::pair<const char*, int*> flags[] = {{"active", &active},
                                                  {"auto_disable", &auto_disable},
                                                  {"body_key", &body_key},
                                                  {"stream_uploads", &stream_uploads},
                                                  {"set_cookie", &set_cookie},
                                                  {"invalid_after", &invalid_after},
                                                  {"outage_guard", &outage_guard},
                                                  {"retry_on_empty", &retry_on_empty}};
    for (auto [word, value] : flags) statement.exchange(soci::use(*value, word));
  }
};

std::vector<Service> ServiceRows::list(soci::session& session, bool locked) const {
  return select(session, std::nullopt, locked);
}

std::optional<Service> ServiceRows::find(soci::session& session, ServiceId id, bool locked) const {
  std::vector<Service> found = select(session, id, locked);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Service> ServiceRows::select(soci::session& session, std::optional<ServiceId> id, bool locked) const {
  Row row;
  soci::statement statement(session);
  row.define(statement);
  long long wanted = id ? id->value : 0;
  if (id) statement.exchange(soci::use(wanted, "wanted"));
  statement.alloc();
  statement.prepare(std::string(kSelect) + (id ? " WHERE id = :wanted" : " ORDER BY id"));
  statement.define_and_bind();
  std::vector<Service> services;
  for (bool more = statement.execute(true); more; more = statement.fetch()) services.push_back(to_service(row, locked));
  return services;
}

void ServiceRows::insert(soci::session& session, Service& service) const {
  Row row = to_row(service);
  std::string egress_proxy = std::exchange(row.egress_proxy, "");  // sealed for its id, which is not known yet
  soci::statement statement(session);
  row.bind(statement);
  statement.alloc();
  statement.prepare(std::string(kInsert));
  statement.define_and_bind();
  statement.execute(true);
  long long id = 0;
  session.get_last_insert_id("proxy_configs", id);
  service.id = ServiceId{id};
  service.revision = 1;
  if (service.egress_proxy.empty()) return;
  egress_proxy = cipher_.seal(service.egress_proxy, egress_proxy_place(service.id));
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
  statement.prepare(std::string(kUpdate));
  statement.define_and_bind();
  statement.execute(true);
  ++service.revision;
  return statement.get_affected_rows() == 1;
}

Service ServiceRows::to_service(const Row& row, bool locked) const {
  using std::chrono::milliseconds;
  Service service;
  service.id = ServiceId{row.id};
  service.revision = row.revision;
  service.name = row.name;
  service.slug = row.slug;
  service.type = row.type == "LLM" ? ServiceType::kLlm : ServiceType::kGeneric;
  const bool llm = service.type == ServiceType::kLlm;
  service.active = row.active != 0;
  service.target_url = llm ? row.target_base_url : row.target_url;
  service.api_format = row.api_format;
  service.output_format = row.output_format;
  if (!row.key_name.empty()) {
    const auto location = row.location == "query" ? KeyLocation::kQuery : KeyLocation::kHeader;
    service.key_placement = KeyPlacement{location, row.key_name, row.prefix};
  }
  const Timeouts times = default_timeouts(service.type, rest_total_);
  service.timeouts = {milliseconds(or_default(row.connect, times.connect.count())),
                      milliseconds(or_default(row.first_byte, times.first_byte.count())),
                      milliseconds(or_default(row.stream_idle, times.stream_idle.count())),
                      milliseconds(or_default(row.total, times.total.count()))};
  const RetrySettings retry = default_retry(service.type);
  service.retry = {static_cast<int>(or_default(row.max_attempts, retry.max_attempts)),
                   milliseconds(or_default(row.budget, retry.budget.count())),
                   or_default(row.retry_post, retry.retry_non_idempotent) != 0};
  service.selection_policy = row.policy;
  service.auto_disable = row.auto_disable != 0;
  service.accept_body_key = row.body_key != 0;
  service.stream_uploads = row.stream_uploads != 0;
  service.allow_set_cookie = row.set_cookie != 0;
  service.invalid_after = row.invalid_after;
  service.outage_guard = row.outage_guard != 0;
  service.wait_for_key = milliseconds(row.wait_for_key);
  // LLM services have a call of their own; an older program may have changed the type and left the path behind.
  if (!llm) service.validation_path = row.validation_path;
  service.retry_on_empty = row.retry_on_empty != 0;
  read_lists(row.lists, service);
  service.created_at = from_sql_time(row.created);
  service.updated_at = from_sql_time(row.updated);
  if (row.egress_proxy.empty() || locked) return service;
  if (const auto opened = cipher_.open(row.egress_proxy, egress_proxy_place(service.id))) {
    service.egress_proxy = std::string(opened->expose());
  } else {
    // Without its proxy the service would reach the upstream from an address the operator did not want: off it is.
    log_error("egress_proxy_unreadable", {{"service", row.slug}});
    service.active = false;
  }
  return service;
}

ServiceRows::Row ServiceRows::to_row(const Service& service) const {
  const bool llm = service.type == ServiceType::kLlm;
  Row row;
  row.id = service.id.value;
  row.revision = service.revision;
  row.name = service.name;
  row.slug = service.slug;
  row.type = llm ? "LLM" : "GENERIC";
  row.active = service.active;
  if (service.key_placement) {
    row.location = service.key_placement->location == KeyLocation::kQuery ? "query" : "header";
    row.key_name = service.key_placement->name;
    row.prefix = service.key_placement->prefix;
  }
  (llm ? row.target_base_url : row.target_url) = service.target_url;
  row.api_format = service.api_format;
  row.output_format = service.output_format;
  if (!service.egress_proxy.empty()) {
    row.egress_proxy = cipher_.seal(service.egress_proxy, egress_proxy_place(service.id));
  }
  const Timeouts times = default_timeouts(service.type, rest_total_);
  row.connect = unless_default(service.timeouts.connect.count(), times.connect.count());
  row.first_byte = unless_default(service.timeouts.first_byte.count(), times.first_byte.count());
  row.stream_idle = unless_default(service.timeouts.stream_idle.count(), times.stream_idle.count());
  row.total = unless_default(service.timeouts.total.count(), times.total.count());
  const RetrySettings retry = default_retry(service.type);
  row.max_attempts = unless_default(service.retry.max_attempts, retry.max_attempts);
  row.budget = unless_default(service.retry.budget.count(), retry.budget.count());
  row.retry_post = unless_default(service.retry.retry_non_idempotent, retry.retry_non_idempotent);
  row.policy = service.selection_policy;
  row.auto_disable = service.auto_disable;
  row.body_key = service.accept_body_key;
  row.stream_uploads = service.stream_uploads;
  row.set_cookie = service.allow_set_cookie;
  row.invalid_after = service.invalid_after;
  row.outage_guard = service.outage_guard;
  row.wait_for_key = service.wait_for_key.count();
  row.lists = write_lists(service);
  row.validation_path = service.validation_path;
  row.retry_on_empty = service.retry_on_empty;
  row.created = to_sql_time(service.created_at);
  row.updated = to_sql_time(service.updated_at);
  return row;
}

}  // namespace akr
