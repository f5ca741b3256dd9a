#include "store/sql/plain_keys.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/pasted_key.hpp"
#include "base/secret.hpp"
#include "base/strings.hpp"
#include "core/ids.hpp"
#include "store/sql/columns.hpp"
#include "store/sql/key_rows.hpp"
#include "store/sql/run_statement.hpp"

namespace akr {
namespace {

struct PlainRow {
  long long id = 0, service = 0;
  std::string value;
};

struct SealedRow {
  long long id = 0, service = 0, version = 0;
  std::string value;
};

std::vector<PlainRow> plain_rows(soci::session& session, const std::string& table) {
  std::vector<PlainRow> rows;
  PlainRow row;
  soci::statement statement = prepared(session,
                                       "SELECT id, coalesce(proxy_config_id, 0), key_value FROM " + table +
                                           " WHERE key_version = 0 AND trim(key_value) <> ''",
                                       soci::into(row.id), soci::into(row.service), soci::into(row.value));
  statement.execute();
  while (statement.fetch()) rows.push_back(row);
  wipe(row.value);
  return rows;
}

using Hashes = std::set<std::pair<long long, std::string>>;

Hashes known_hashes(soci::session& session, const std::string& table) {
  Hashes hashes;
  std::pair<long long, std::string> each;
  soci::statement statement =
      prepared(session, "SELECT coalesce(proxy_config_id, 0), key_hash FROM " + table + " WHERE key_hash IS NOT NULL",
               soci::into(each.first), soci::into(each.second));
  statement.execute();
  while (statement.fetch()) hashes.insert(each);
  return hashes;
}

}  // namespace

std::size_t seal_keys_of_copy(OpenedCopy& copy, const Dialect& dialect, const KeyCipher& cipher) {
  soci::session& session = *copy.session;
  const std::string table = copy.prefix + "api_keys";
  const std::set<std::string> columns = column_names(session, dialect, table);
  if (!columns.contains("key_value")) return 0;
  for (const auto& [name, type] :
       {std::pair{"key_version", "{integer} NOT NULL DEFAULT 0"}, {"key_hash", "varchar(64)"}}) {
    if (columns.contains(name)) continue;
    run(session, "ALTER TABLE " + table + " ADD COLUMN " + name + " " + render(type, dialect));
  }
  std::vector<PlainRow> rows = plain_rows(session, table);
  Hashes hashes = known_hashes(session, table);
  long long id = 0, version = kSealedVersion;
  std::string value, hash;
  soci::indicator known = soci::i_ok;
  soci::statement seal = prepared(session,
                                  "UPDATE " + table +
                                      " SET key_value = :value, key_hash = :hash,"
                                      " key_version = :version WHERE id = :id",
                                  soci::use(value), soci::use(hash, known), soci::use(version), soci::use(id));
  for (PlainRow& row : rows) {
    const std::string_view plain = trim_pasted(row.value);
    if (plain.empty()) continue;
    id = row.id;
    value = cipher.seal(plain, key_place(KeyId{row.id}, ServiceId{row.service}, version));
    hash = cipher.lookup_hash(plain);
    // A copy keeps duplicates; the index of hashes, where there is one already, takes the first of them only.
    known = hashes.emplace(row.service, hash).second ? soci::i_ok : soci::i_null;
    seal.execute(true);
    wipe(row.value);
  }
  return rows.size();
}

std::size_t open_keys_of_copy(soci::session& session, const KeyCipher& cipher) {
  std::vector<SealedRow> rows;
  SealedRow row;
  soci::statement select =
      prepared(session,
               "SELECT id, coalesce(proxy_config_id, 0), key_version, key_value"
               " FROM api_keys WHERE key_version <> 0",
               soci::into(row.id), soci::into(row.service), soci::into(row.version), soci::into(row.value));
  select.execute();
  while (select.fetch()) rows.push_back(row);
  long long id = 0;
  std::string value;
  soci::statement open = prepared(session,
                                  "UPDATE api_keys SET key_value = :value, key_hash = NULL, key_version = 0"
                                  " WHERE id = :id",
                                  soci::use(value), soci::use(id));
  std::size_t opened = 0;
  for (const SealedRow& each : rows) {
    id = each.id;
    const auto secret = cipher.open(each.value, key_place(KeyId{each.id}, ServiceId{each.service}, each.version));
    if (!secret) {
      run(session, "DELETE FROM api_keys WHERE id = :id", soci::use(id));
      continue;
    }
    value = secret->expose();
    open.execute(true);
    ++opened;
  }
  wipe(value);
  return opened;
}

}  // namespace akr
