#include "store/sql/key_rows.hpp"

#include <algorithm>
#include <initializer_list>

#include "base/strings.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sql/schema.hpp"
#include "store/sql/sql_time.hpp"

namespace akr {
namespace {

constexpr std::size_t kRowsPerFetch = 1000;

constexpr std::string_view kSelect =
    "SELECT id, coalesce(proxy_config_id, 0), key_version, key_value, coalesce(is_active, 0), coalesce(note, ''),"
    " weight, priority, coalesce(quota_group, ''), rpm, tpm, rpd, max_concurrency, monthly_quota, monthly_reset_day"
    " FROM api_keys ";

// One part of a large answer, by column and in the order of kSelect.
struct Columns {
  std::vector<long long> ids, services, versions;
  std::vector<std::string> values;
  std::vector<int> enabled;
  std::vector<std::string> notes;
  std::vector<long long> weights, priorities;
  std::vector<std::string> groups;
  std::vector<long long> rpm, tpm, rpd, max_concurrency, monthly_quota, monthly_reset_day;

  template <class Visit>
  void each(Visit visit) {
    visit(ids), visit(services), visit(versions), visit(values), visit(enabled), visit(notes);
    visit(weights), visit(priorities), visit(groups);
    visit(rpm), visit(tpm), visit(rpd), visit(max_concurrency), visit(monthly_quota), visit(monthly_reset_day);
  }

  KeyRows::Sealed take(std::size_t i) {
    KeyRows::Sealed row{ids[i], services[i], versions[i], std::move(values[i]), enabled[i], std::move(notes[i])};
    row.weight = weights[i];
    row.priority = priorities[i];
    row.group = std::move(groups[i]);
    row.limits.rpm = static_cast<std::uint32_t>(rpm[i]);
    row.limits.tpm = static_cast<std::uint64_t>(tpm[i]);
    row.limits.rpd = static_cast<std::uint32_t>(rpd[i]);
    row.limits.max_concurrency = static_cast<std::uint32_t>(max_concurrency[i]);
    row.limits.monthly_quota = static_cast<std::uint64_t>(monthly_quota[i]);
    row.limits.monthly_reset_day = static_cast<std::uint32_t>(monthly_reset_day[i]);
    return row;
  }
};

// What people set, as parameters.
struct KeyMembers {
  template <class Key>  // UpstreamKey or NewKey
  void set(const Key& key) {
    enabled = key.enabled;
    note = key.note;
    weight = key.weight;
    priority = key.priority;
    group = key.group;
    rpm = key.limits.rpm;
    tpm = static_cast<long long>(key.limits.tpm);
    rpd = key.limits.rpd;
    max_concurrency = key.limits.max_concurrency;
    monthly_quota = static_cast<long long>(key.limits.monthly_quota);
    monthly_reset_day = key.limits.monthly_reset_day;
  }
  void bind(soci::statement& statement) {
    statement.exchange(soci::use(enabled, "enabled"));
    statement.exchange(soci::use(note, "note"));
    statement.exchange(soci::use(group, "group"));
    const std::pair<const char*, long long*> numbers[] = {{"weight", &weight},
                                                          {"priority", &priority},
                                                          {"rpm", &rpm},
                                                          {"tpm", &tpm},
                                                          {"rpd", &rpd},
                                                          {"max_concurrency", &max_concurrency},
                                                          {"monthly_quota", &monthly_quota},
                                                          {"monthly_reset_day", &monthly_reset_day}};
    for (auto [word, value] : numbers) statement.exchange(soci::use(*value, word));
  }

  int enabled = 0;
  std::string note, group;
  long long weight = 1, priority = 0;
  long long rpm = 0, tpm = 0, rpd = 0, max_concurrency = 0, monthly_quota = 0, monthly_reset_day = 1;
};

constexpr std::string_view kInsert =
    "INSERT INTO api_keys (id, key_value, is_active, proxy_config_id, key_hash, key_version, created_at, note, weight,"
    " priority, quota_group, rpm, tpm, rpd, max_concurrency, monthly_quota, monthly_reset_day)"
    " VALUES (:id, :value, :enabled, :service, :hash, :version, :created, nullif(:note, ''), :weight, :priority,"
    " nullif(:group, ''), :rpm, :tpm, :rpd, :max_concurrency, :monthly_quota, :monthly_reset_day)";

constexpr std::string_view kUpdate =
    "UPDATE api_keys SET is_active = :enabled, note = nullif(:note, ''), weight = :weight, priority = :priority,"
    " quota_group = nullif(:group, ''), rpm = :rpm, tpm = :tpm, rpd = :rpd, max_concurrency = :max_concurrency,"
    " monthly_quota = :monthly_quota, monthly_reset_day = :monthly_reset_day WHERE id = :id";

// First id that was never given out, also if rows were put in by hand.
long long first_free_id(soci::session& session) {
  long long highest = 0;
  run(session, "SELECT coalesce(max(id), 0) FROM api_keys", soci::into(highest));
  const auto noted = parse_u64(read_meta(session, "next_key_id")).value_or(1);
  return std::max(highest + 1, static_cast<long long>(noted));
}

std::vector<KeyRows::Sealed> select(soci::session& session, const std::string& tail,
                                    std::initializer_list<long long> parameters) {
  Columns columns;
  soci::statement statement(session);
  columns.each([&](auto& column) {
    column.resize(kRowsPerFetch);
    statement.exchange(soci::into(column));
  });
  for (const long long& parameter : parameters) statement.exchange(soci::use(parameter));
  statement.alloc();
  statement.prepare(std::string(kSelect) + tail);
  statement.define_and_bind();
  std::vector<KeyRows::Sealed> rows;
  statement.execute();
  while (statement.fetch()) {
    for (std::size_t i = 0; i < columns.ids.size(); ++i) rows.push_back(columns.take(i));
    columns.each([](auto& column) { column.resize(kRowsPerFetch); });
  }
  return rows;
}

}  // namespace

std::vector<KeyRows::Sealed> KeyRows::list(soci::session& session, ServiceId service) const {
  return select(session, "WHERE proxy_config_id = :service ORDER BY id", {service.value});
}

// The `+` keeps the database from walking over all keys of the service by their index: the ids lead to the few.
std::vector<KeyRows::Sealed> KeyRows::list_after(soci::session& session, ServiceId service, KeyId after) const {
  return select(session, "WHERE id > :after AND +proxy_config_id = :service ORDER BY id", {after.value, service.value});
}

std::optional<KeyRows::Sealed> KeyRows::find(soci::session& session, KeyId id) const {
  std::vector<Sealed> rows = select(session, "WHERE id = :id", {id.value});
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

UpstreamKey KeyRows::open(const Sealed& row) const {
  UpstreamKey key{.id = KeyId{row.id}, .service = ServiceId{row.service}, .enabled = row.enabled != 0};
  key.note = row.note;
  key.weight = static_cast<std::uint32_t>(row.weight);
  key.priority = static_cast<std::int32_t>(row.priority);
  key.group = row.group;
  key.limits = row.limits;
  // A plain row can only be one that somebody wrote by hand since the start; the next start seals it.
  auto opened = row.version == 0 ? std::optional<Secret>(Secret(row.value))
                                 : cipher_.open(row.value, key_place(key.id, key.service, row.version));
  key.readable = opened.has_value();
  if (opened) key.secret = *std::move(opened);
  return key;
}

std::vector<AddedKey> KeyRows::add(soci::session& session, ServiceId service, std::span<const NewKey> keys,
                                   WallTime now) const {
  long long id = first_free_id(session), existing = 0, version = kSealedVersion, owner = service.value;
  std::string value, hash, created = to_sql_time(now);
  soci::statement find =
      prepared(session, "SELECT id FROM api_keys WHERE proxy_config_id = :service AND key_hash = :hash",
               soci::into(existing), soci::use(owner), soci::use(hash));
  KeyMembers members;
  soci::statement insert(session);
  for (auto [word, number] : {std::pair{"id", &id}, {"service", &owner}, {"version", &version}}) {
    insert.exchange(soci::use(*number, word));
  }
  for (auto [word, text] : {std::pair{"value", &value}, {"hash", &hash}, {"created", &created}}) {
    insert.exchange(soci::use(*text, word));
  }
  members.bind(insert);
  insert.alloc();
  insert.prepare(std::string(kInsert));
  insert.define_and_bind();
  std::vector<AddedKey> added;
  added.reserve(keys.size());
  for (const NewKey& key : keys) {
    hash = cipher_.lookup_hash(key.secret.expose());
    if (find.execute(true)) {
      added.push_back({KeyId{existing}, true});
      continue;
    }
    value = cipher_.seal(key.secret.expose(), key_place(KeyId{id}, service, version));
    members.set(key);
    insert.execute(true);
    added.push_back({KeyId{id}, false});
    ++id;
  }
  write_meta(session, "next_key_id", std::to_string(id));
  return added;
}

void KeyRows::update(soci::session& session, const UpstreamKey& key) const {
  KeyMembers members;
  members.set(key);
  long long id = key.id.value;
  soci::statement statement(session);
  members.bind(statement);
  statement.exchange(soci::use(id, "id"));
  statement.alloc();
  statement.prepare(std::string(kUpdate));
  statement.define_and_bind();
  statement.execute(true);
}

KeyRows::Swept KeyRows::seal_plain(soci::session& session) const {
  Swept swept;
  long long id = 0, existing = 0, version = kSealedVersion, owner = 0;
  int was_enabled = 0;
  std::string value, hash;
  soci::statement find =
      prepared(session, "SELECT id FROM api_keys WHERE proxy_config_id = :service AND key_hash = :hash",
               soci::into(existing), soci::use(owner), soci::use(hash));
  soci::statement seal = prepared(session,
                                  "UPDATE api_keys SET key_value = :value, key_hash = :hash,"
                                  " key_version = :version WHERE id = :id",
                                  soci::use(value), soci::use(hash), soci::use(version), soci::use(id));
  for (Sealed& row : select(session, "WHERE key_version = :plain ORDER BY id", {0})) {
    const std::string_view plain = trim(row.value);
    id = row.id;
    owner = row.service;
    was_enabled = row.enabled;
    hash = cipher_.lookup_hash(plain);
    const bool duplicate = !plain.empty() && find.execute(true);
    if (duplicate || plain.empty()) {
      run(session, "DELETE FROM api_keys WHERE id = :id", soci::use(id));
      if (duplicate && was_enabled) {
        run(session, "UPDATE api_keys SET is_active = 1 WHERE id = :id", soci::use(existing));
      }
      ++(duplicate ? swept.merged : swept.blank);
    } else {
      value = cipher_.seal(plain, key_place(KeyId{id}, ServiceId{owner}, version));
      seal.execute(true);
      ++swept.sealed;
    }
    wipe(row.value);
  }
  return swept;
}

}  // namespace akr
