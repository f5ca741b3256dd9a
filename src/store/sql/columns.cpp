#include "store/sql/columns.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>

#include "core/service/fields.hpp"
#include "store/sql/run_statement.hpp"

namespace akr {
namespace {

constexpr std::string_view kServices = "proxy_configs";
constexpr std::string_view kKeys = "api_keys";

struct NamedColumn {
  std::string_view table;
  std::string_view name;
  std::string_view definition = "";  // "": the listed field's
};

// Beyond those of the first CREATE TABLE.  The first five may be missing in databases of early originals.
constexpr std::array kColumnsOfVersion1 = {
    NamedColumn{kServices, "method"},
    NamedColumn{kServices, "target_url"},
    NamedColumn{kServices, "target_base_url"},
    NamedColumn{kServices, "api_format"},
    NamedColumn{kServices, "output_format"},
    NamedColumn{kServices, "revision", "{integer} NOT NULL DEFAULT 1"},
    NamedColumn{kServices, "api_key_prefix"},
    NamedColumn{kServices, "egress_proxy"},
    NamedColumn{kServices, "connect_timeout_ms"},
    NamedColumn{kServices, "first_byte_timeout_ms"},
    NamedColumn{kServices, "stream_idle_timeout_ms"},
    NamedColumn{kServices, "total_timeout_ms"},
    NamedColumn{kServices, "max_attempts"},
    NamedColumn{kServices, "retry_budget_ms"},
    NamedColumn{kServices, "retry_non_idempotent"},
    NamedColumn{kServices, "selection_policy"},  // NULL: round_robin
    NamedColumn{kServices, "auto_disable"},
    NamedColumn{kServices, "accept_body_key"},
    NamedColumn{kServices, "stream_uploads"},
    NamedColumn{kServices, "allow_set_cookie"},
    NamedColumn{kKeys, "key_hash", "varchar(64)"},
    NamedColumn{kKeys, "key_version", "{integer} NOT NULL DEFAULT 0"},  // 0: key_value is the plain key
    NamedColumn{kKeys, "note"},
    NamedColumn{kKeys, "created_at", "{time}"},
};

// Version 2: what keys may do, and what is made of failures.
constexpr std::array kColumnsOfVersion2 = {
    NamedColumn{kServices, "failure_rules"},  // JSON, core/outcome/failure_rules_json.hpp; NULL: none
    NamedColumn{kServices, "invalid_after"},
    NamedColumn{kServices, "outage_guard"},
    NamedColumn{kServices, "wait_for_key_ms"},
    NamedColumn{kKeys, "weight"},
    NamedColumn{kKeys, "priority"},
    NamedColumn{kKeys, "quota_group"},
    NamedColumn{kKeys, "rpm"},
    NamedColumn{kKeys, "tpm"},
    NamedColumn{kKeys, "rpd"},
    NamedColumn{kKeys, "max_concurrency"},
    NamedColumn{kKeys, "monthly_quota"},
    NamedColumn{kKeys, "monthly_reset_day"},
};

// Version 3: several URLs, fallbacks, and things that belong to one key.
constexpr std::array kColumnsOfVersion3 = {
    NamedColumn{kServices, "upstreams"},       // JSON; NULL: target_url alone
    NamedColumn{kServices, "fallbacks"},       // JSON array of ids; NULL: none
    NamedColumn{kServices, "affinity_rules"},  // JSON; NULL: none
    NamedColumn{kServices, "validation_path"}, NamedColumn{kServices, "retry_on_empty"},
};

// What a column of this type holds where a row says nothing, and what rows from before it get.
template <class Owner>
struct Definition {
  const Field<Owner>& field;
  const Owner fresh = {};

  template <class Number>
  std::string operator()(Number& (*at)(Owner&)) const {
    return number(std::is_same_v<Number, std::uint64_t> ? "bigint" : "{integer}",
                  static_cast<long long>(look(at, fresh)));
  }
  std::string operator()(std::chrono::milliseconds& (*at)(Owner&)) const {
    return number("{integer}", look(at, fresh).count());
  }
  std::string operator()(std::string& (*)(Owner&)) const { return "{text}"; }
  std::string operator()(const Worded<Owner>&) const { return "{text}"; }
  std::string operator()(const Listed<Owner>&) const { return "{text}"; }

 private:
  std::string number(std::string_view type, long long initial) const {
    if (field.follows_default) return std::string(type);
    return std::string(type) + " NOT NULL DEFAULT " + std::to_string(initial);
  }
};

template <class Owner>
void append_columns(std::string_view table, std::span<const Field<Owner>> fields, std::vector<Column>& columns) {
  for (const Field<Owner>& field : fields) {
    columns.push_back({table, field.name, std::visit(Definition<Owner>{field}, field.member)});
  }
}

std::vector<Column> field_columns() {
  std::vector<Column> columns;
  append_columns(kServices, service_fields(), columns);
  append_columns(kKeys, key_fields<UpstreamKey>(), columns);
  return columns;
}

// With the definition of the listed field, unless it has one of its own.
std::vector<Column> defined(std::span<const NamedColumn> columns) {
  const std::vector<Column> listed = field_columns();
  std::vector<Column> all;
  for (const NamedColumn& column : columns) {
    Column made{column.table, column.name, std::string(column.definition)};
    for (const Column& each : listed) {
      if (each.table == made.table && each.name == made.name) made.definition = each.definition;
    }
    all.push_back(std::move(made));
  }
  return all;
}

}  // namespace

std::vector<Column> late_columns() {
  std::vector<Column> columns = field_columns();
  columns.push_back({"key_pins", "owner", "bigint NOT NULL DEFAULT 0"});    // KeyPin::owner
  columns.push_back({"key_pins", "account", "bigint NOT NULL DEFAULT 0"});  // PinnedKey::account
  return columns;
}

std::vector<Column> columns_of_version(int version) {
  switch (version) {
    case 1:
      return defined(kColumnsOfVersion1);
    case 2:
      return defined(kColumnsOfVersion2);
    case 3:
      return defined(kColumnsOfVersion3);
    default:
      return {};
  }
}

std::set<std::string> column_names(soci::session& session, const Dialect& dialect, const std::string& table) {
  std::set<std::string> names;
  std::string name;
  soci::statement statement = prepared(session, dialect.column_names, soci::use(table, "table"), soci::into(name));
  for (bool more = statement.execute(true); more; more = statement.fetch()) names.insert(name);
  return names;
}

std::vector<Column> missing_columns(soci::session& session, const Dialect& dialect, std::vector<Column> wanted) {
  std::map<std::string_view, std::set<std::string>> tables;
  for (const Column& column : wanted) {
    if (!tables.contains(column.table))
      tables.emplace(column.table, column_names(session, dialect, std::string(column.table)));
  }
  std::erase_if(wanted, [&](const Column& column) { return tables[column.table].contains(std::string(column.name)); });
  return wanted;
}

void add_columns(soci::session& session, const Dialect& dialect, std::vector<Column> wanted) {
  for (const Column& column : missing_columns(session, dialect, std::move(wanted))) {
    run(session, "ALTER TABLE " + std::string(column.table) + " ADD COLUMN " + std::string(column.name) + " " +
                     render(column.definition, dialect));
  }
}

}  // namespace akr
