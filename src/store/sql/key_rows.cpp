#include "store/sql/key_rows.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <unordered_map>

#include "base/pasted_key.hpp"
#include "core/service/fields.hpp"
#include "store/sql/field_cells.hpp"
#include "store/sql/row_insert.hpp"
#include "store/sql/run_statement.hpp"
#include "store/sql/sql_time.hpp"

namespace akr {
namespace {

constexpr std::size_t kRowsPerFetch = 1000;
constexpr std::size_t kHashesPerQuestion = 500;

std::string select_text() {
  return "SELECT id, coalesce(proxy_config_id, 0), key_version, key_value, " + columns_of(key_fields<UpstreamKey>()) +
         " FROM api_keys ";
}

std::vector<InsertColumn> insert_columns() {
  std::vector<InsertColumn> columns = {{"id", true}, {"key_value"},         {"proxy_config_id", true},
                                       {"key_hash"}, {"key_version", true}, {"created_at"}};
  for (const Field<NewKey>& field : key_fields<NewKey>())
    columns.push_back({std::string(field.name), is_number(field)});
  return columns;
}

std::string update_text() {
  return "UPDATE api_keys SET " + assignments_of(key_fields<UpstreamKey>()) + " WHERE id = :id";
}

// One part of a large answer, by column and in the order of select_text().
class Columns {
 public:
  void define(soci::statement& statement) {
    resize();
    for (auto* column : {&ids_, &services_, &versions_}) statement.exchange(soci::into(*column));
    statement.exchange(soci::into(values_));
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      FieldColumn& column = columns_[i];
      if (is_number(fields_[i])) {
        statement.exchange(soci::into(column.numbers, column.states));
      } else {
        statement.exchange(soci::into(column.texts, column.states));
      }
    }
  }

  // Before each fetch, which makes them as short as what it brought.
  void resize() {
    for (auto* column : {&ids_, &services_, &versions_}) column->resize(kRowsPerFetch);
    values_.resize(kRowsPerFetch);
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      columns_[i].states.resize(kRowsPerFetch);
      is_number(fields_[i]) ? columns_[i].numbers.resize(kRowsPerFetch) : columns_[i].texts.resize(kRowsPerFetch);
    }
  }

  std::size_t size() const { return ids_.size(); }

  KeyRows::Sealed take(std::size_t row) {
    KeyRows::Sealed sealed{ids_[row], services_[row], versions_[row], std::move(values_[row]), {}};
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      FieldColumn& column = columns_[i];
      Cell cell{.state = column.states[row]};
      if (is_number(fields_[i])) {
        cell.number = column.numbers[row];
      } else {
        cell.text = std::move(column.texts[row]);
      }
      static_cast<void>(take_cell(fields_[i], cell, sealed.key, fresh_));  // no key field is a list
    }
    return sealed;
  }

 private:
  struct FieldColumn {
    std::vector<long long> numbers;
    std::vector<std::string> texts;
    std::vector<soci::indicator> states;
  };

  const std::span<const Field<UpstreamKey>> fields_ = key_fields<UpstreamKey>();
  const UpstreamKey fresh_;
  std::vector<long long> ids_, services_, versions_;
  std::vector<std::string> values_;
  std::vector<FieldColumn> columns_{fields_.size()};
};

std::vector<std::string> hashes_of(std::span<const NewKey> keys, const KeyCipher& cipher) {
  std::vector<std::string> hashes;
  hashes.reserve(keys.size());
  for (const NewKey& key : keys) hashes.push_back(cipher.lookup_hash(key.secret.expose()));
  return hashes;
}

using KnownKeys = std::unordered_map<std::string_view, long long>;  // views of the hashes that were asked for

bool has_keys(soci::session& session, long long service) {
  long long any = 0;
  run(session, "SELECT id FROM api_keys WHERE proxy_config_id = :service LIMIT 1", soci::use(service), soci::into(any));
  return session.got_data();
}

// Which of them the service has: some hundreds in one question, for an import asks for 100,000.  A new service, which
// is what most imports fill, is asked once.
KnownKeys known_keys(soci::session& session, ServiceId service, std::span<const std::string> hashes) {
  KnownKeys known;
  known.reserve(hashes.size());
  if (!has_keys(session, service.value)) return known;
  std::unordered_map<std::string, long long> found;
  for (; !hashes.empty(); hashes = hashes.subspan(std::min(hashes.size(), kHashesPerQuestion))) {
    const auto part = hashes.first(std::min(hashes.size(), kHashesPerQuestion));
    std::string list;  // hex digits of our own: nothing to be escaped
    for (const std::string& hash : part) list += (list.empty() ? "'" : ", '") + hash + "'";
    long long id = 0;
    std::string hash;
    soci::statement find = prepared(
        session, "SELECT id, key_hash FROM api_keys WHERE proxy_config_id = :service AND key_hash IN (" + list + ")",
        soci::into(id), soci::into(hash), soci::use(service.value));
    found.clear();
    for (bool more = find.execute(true); more; more = find.fetch()) found.emplace(hash, id);
    for (const std::string& each : part) {
      if (const auto at = found.find(each); at != found.end()) known.emplace(each, at->second);
    }
  }
  return known;
}

std::vector<KeyRows::Sealed> select(soci::session& session, const std::string& tail,
                                    std::initializer_list<long long> parameters) {
  Columns columns;
  soci::statement statement(session);
  columns.define(statement);
  for (const long long& parameter : parameters) statement.exchange(soci::use(parameter));
  statement.alloc();
  statement.prepare(select_text() + tail);
  statement.define_and_bind();
  std::vector<KeyRows::Sealed> rows;
  statement.execute();
  while (statement.fetch()) {
    for (std::size_t i = 0; i < columns.size(); ++i) rows.push_back(columns.take(i));
    columns.resize();
  }
  return rows;
}

}  // namespace

std::vector<KeyRows::Sealed> KeyRows::list(soci::session& session, ServiceId service) const {
  return select(session, "WHERE proxy_config_id = :service ORDER BY id", {service.value});
}

// The `+` keeps SQLite from walking over all keys of the service by their index: the ids lead to the few.
std::vector<KeyRows::Sealed> KeyRows::list_after(soci::session& session, ServiceId service, KeyId after) const {
  return select(session, "WHERE id > :after AND +proxy_config_id = :service ORDER BY id", {after.value, service.value});
}

std::optional<KeyRows::Sealed> KeyRows::find(soci::session& session, KeyId id) const {
  std::vector<Sealed> rows = select(session, "WHERE id = :id", {id.value});
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

std::optional<KeyRows::Sealed> KeyRows::find_and_lock(soci::session& session, KeyId id) const {
  std::vector<Sealed> rows = select(session, "WHERE id = :id" + std::string(backend_.dialect().lock_rows), {id.value});
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

UpstreamKey KeyRows::open(const Sealed& row) const {
  UpstreamKey key = row.key;
  key.id = KeyId{row.id};
  key.service = ServiceId{row.service};
  // A plain row can only be one that somebody wrote by hand since the start; the next start seals it.
  auto opened = row.version == 0 ? std::optional<Secret>(Secret(row.value))
                                 : cipher_.open(row.value, key_place(key.id, key.service, row.version));
  key.readable = opened.has_value();
  if (opened) key.secret = *std::move(opened);
  return key;
}

Result<std::vector<AddedKey>> KeyRows::add(soci::session& session, ServiceId service, std::span<const NewKey> keys,
                                           WallTime now, KeyIds& ids) const {
  const std::vector<std::string> hashes = hashes_of(keys, cipher_);
  KnownKeys known = known_keys(session, service, hashes);
  std::vector<AddedKey> added;
  added.reserve(keys.size());
  long long fresh = 0;  // as if the first id were 0: how many there are is not known yet
  for (const std::string& hash : hashes) {
    const auto [place, is_new] = known.try_emplace(hash, -1 - fresh);
    fresh += is_new;
    added.push_back({KeyId{place->second}, !is_new});
  }
  if (fresh == 0) return added;
  const auto first = ids.reserve(session, backend_.dialect(), static_cast<std::size_t>(fresh));
  if (!first) return first.error();
  for (AddedKey& key : added) {
    if (key.id.value < 0) key.id = KeyId{*first - 1 - key.id.value};
  }
  insert(session, service, keys, added, hashes, now);
  return added;
}

void KeyRows::insert(soci::session& session, ServiceId service, std::span<const NewKey> keys,
                     std::span<const AddedKey> added, std::span<const std::string> hashes, WallTime now) const {
  const Dialect& dialect = backend_.dialect();
  const std::string created = to_sql_time(now, dialect);
  const NewKey fresh;
  FieldCells<NewKey> fields(key_fields<NewKey>());
  RowInsert rows(session, dialect, "api_keys", insert_columns());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (added[i].duplicate) continue;
    const std::span<Cell> row = rows.row();
    row[0] = number_cell(added[i].id.value);
    row[1] = text_cell(cipher_.seal(keys[i].secret.expose(), key_place(added[i].id, service, kSealedVersion)));
    row[2] = number_cell(service.value);
    row[3] = text_cell(hashes[i]);
    row[4] = number_cell(kSealedVersion);
    row[5] = text_cell(created);
    fields.fill(keys[i], fresh);
    std::ranges::copy(fields.cells(), row.begin() + 6);
    rows.add();
  }
  rows.finish();
}

void KeyRows::update(soci::session& session, const UpstreamKey& key) const {
  FieldCells<UpstreamKey> members(key_fields<UpstreamKey>());
  members.fill(key, UpstreamKey{});
  long long id = key.id.value;
  soci::statement statement(session);
  members.bind(statement);
  statement.exchange(soci::use(id, "id"));
  statement.alloc();
  statement.prepare(update_text());
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
    const std::string_view plain = trim_pasted(row.value);
    id = row.id;
    owner = row.service;
    was_enabled = row.key.enabled;
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
