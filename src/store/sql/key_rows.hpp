// key_rows.hpp - upstream keys as rows of api_keys: sealed on the way in, opened on the way out.
//
// All functions throw soci::soci_error; the writing ones REQUIRE a write transaction.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <soci/soci.h>

#include "core/service/service.hpp"
#include "store/config_store.hpp"
#include "store/key_cipher.hpp"
#include "store/sql/key_ids.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

// api_keys.key_version of a sealed key, 0 of a plain one; counts up when the encryption key is rotated.
constexpr long long kSealedVersion = 1;

class KeyRows {
 public:
  KeyRows(const KeyCipher& cipher, const SqlBackend& backend) : cipher_(cipher), backend_(backend) {}

  // A row as stored, to be opened outside of the session's lock: opening 100,000 keys takes longer than reading them.
  struct Sealed {
    long long id = 0;
    long long service = 0;
    long long version = 0;
    std::string value;
    UpstreamKey key;  // what people set on it; no id and no secret yet
  };
  std::vector<Sealed> list(soci::session& session, ServiceId service) const;
  std::vector<Sealed> list_after(soci::session& session, ServiceId service, KeyId after) const;
  std::optional<Sealed> find(soci::session& session, KeyId id) const;
  std::optional<Sealed> find_and_lock(soci::session& session, KeyId id) const;  // against others who would write it
  UpstreamKey open(const Sealed& row) const;

  // REQUIRES: nobody else adds to this service meanwhile.
  Result<std::vector<AddedKey>> add(soci::session& session, ServiceId service, std::span<const NewKey> keys,
                                    WallTime now, KeyIds& ids) const;

  // Everything that people set; not the secret.
  void update(soci::session& session, const UpstreamKey& key) const;

  // Seals the rows whose key is plain; of equal keys in one service the oldest stays, enabled if any was.
  struct Swept {
    std::size_t sealed = 0;
    std::size_t merged = 0;
    std::size_t blank = 0;  // removed
  };
  Swept seal_plain(soci::session& session) const;

 private:
  void insert(soci::session& session, ServiceId service, std::span<const NewKey> keys, std::span<const AddedKey> added,
              std::span<const std::string> hashes, WallTime now) const;

  const KeyCipher& cipher_;
  const SqlBackend& backend_;
};

}  // namespace akr
