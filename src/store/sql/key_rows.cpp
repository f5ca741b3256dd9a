#include "store/sql/key_rows.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "store/sql/schema.hpp"
#include "store/sql/sql_time.hpp"

namespace akr {
namespace {

constexpr long long kSealedVersion = 1;  // counts up when the encryption key is rotated
constexpr std::size_t kRowsPerFetch = 1000;

constexpr std::string_view kSelect =
    "SELECT id, coalesce(proxy_config_id, 0), key_version, key_value, coalesce(is_active, 0), coalesce(note, '')"
    " FROM api_keys ";

// First id that was never given out, also if rows were put in by hand.
long long first_free_id(soci::session& session) {
  long long highest = 0;
  session << "SELECT coalesce(max(id), 0) FROM api_keys", soci::into(highest);
  const auto noted = parse_u64(read_meta(session, "next_key_id")).value_or(1);
  return std::max(highest + 1, static_cast<long long>(noted));
}

std::vector<KeyRows::Sealed> select(soci::session& session, const std::string& tail, long long parameter) {
  std::vector<long long> ids(kRowsPerFetch), services(kRowsPerFetch), versions(kRowsPerFetch);
  std::vector<std::string> values(kRowsPerFetch), notes(kRowsPerFetch);
  std::vector<int> enabled(kRowsPerFetch);
  soci::statement statement =
      (session.prepare << kSelect << tail, soci::into(ids), soci::into(services), soci::into(versions),
       soci::into(values), soci::into(enabled), soci::into(notes), soci::use(parameter));
  std::vector<KeyRows::Sealed> rows;
  statement.execute();
  while (statement.fetch()) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      rows.push_back({ids[i], services[i], versions[i], std::move(values[i]), enabled[i], std::move(notes[i])});
    }
    ids.resize(kRowsPerFetch);
    services.resize(kRowsPerFetch);
    versions.resize(kRowsPerFetch);
    values.resize(kRowsPerFetch);
    enabled.resize(kRowsPerFetch);
    notes.resize(kRowsPerFetch);
  }
  return rows;
}

}  // namespace

std::vector<KeyRows::Sealed> KeyRows::list(soci::session& session, ServiceId service) const {
  return select(session, "WHERE proxy_config_id = :service ORDER BY id", service.value);
}

std::optional<KeyRows::Sealed> KeyRows::find(soci::session& session, KeyId id) const {
  std::vector<Sealed> rows = select(session, "WHERE id = :id", id.value);
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

UpstreamKey KeyRows::open(const Sealed& row) const {
  UpstreamKey key{.id = KeyId{row.id}, .service = ServiceId{row.service}, .enabled = row.enabled != 0};
  key.note = row.note;
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
  int enabled = 0;
  soci::statement find =
      (session.prepare << "SELECT id FROM api_keys WHERE proxy_config_id = :service AND key_hash = :hash",
       soci::into(existing), soci::use(owner), soci::use(hash));
  soci::statement insert =
      (session.prepare << "INSERT INTO api_keys (id, key_value, is_active, proxy_config_id, key_hash, key_version,"
                          " created_at) VALUES (:id, :value, :enabled, :service, :hash, :version, :created)",
       soci::use(id), soci::use(value), soci::use(enabled), soci::use(owner), soci::use(hash), soci::use(version),
       soci::use(created));
  std::vector<AddedKey> added;
  added.reserve(keys.size());
  for (const NewKey& key : keys) {
    hash = cipher_.lookup_hash(key.secret.expose());
    if (find.execute(true)) {
      added.push_back({KeyId{existing}, true});
      continue;
    }
    value = cipher_.seal(key.secret.expose(), key_place(KeyId{id}, service, version));
    enabled = key.enabled;
    insert.execute(true);
    added.push_back({KeyId{id}, false});
    ++id;
  }
  write_meta(session, "next_key_id", std::to_string(id));
  return added;
}

KeyRows::Swept KeyRows::seal_plain(soci::session& session) const {
  Swept swept;
  long long id = 0, existing = 0, version = kSealedVersion, owner = 0;
  int was_enabled = 0;
  std::string value, hash;
  soci::statement find =
      (session.prepare << "SELECT id FROM api_keys WHERE proxy_config_id = :service AND key_hash = :hash",
       soci::into(existing), soci::use(owner), soci::use(hash));
  soci::statement seal = (session.prepare << "UPDATE api_keys SET key_value = :value, key_hash = :hash,"
                                             " key_version = :version WHERE id = :id",
                          soci::use(value), soci::use(hash), soci::use(version), soci::use(id));
  for (Sealed& row : select(session, "WHERE key_version = :plain ORDER BY id", 0)) {
    const std::string_view plain = trim(row.value);
    id = row.id;
    owner = row.service;
    was_enabled = row.enabled;
    hash = cipher_.lookup_hash(plain);
    const bool duplicate = !plain.empty() && find.execute(true);
    if (duplicate || plain.empty()) {
      session << "DELETE FROM api_keys WHERE id = :id", soci::use(id);
      if (duplicate && was_enabled) {
        session << "UPDATE api_keys SET is_active = 1 WHERE id = :id", soci::use(existing);
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
