// pool_rows.hpp - what survives a restart: the pool's tables as rows, told in parts so that requests do not wait, and
// taken back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/keys/key_state.hpp"
#include "core/keys/pool/pool_tables.hpp"

namespace akr {

// How far a walk over the pool's tables has come.  The tables may change between two parts of it: then rows may be
// missed or told twice, and version() has changed.
struct ExportCursor {
  enum class Table : std::uint8_t { kKeys, kGroups, kModels, kEnd };
  Table table = Table::kKeys;
  std::size_t at = 0;
};

class PoolRows {
 public:
  explicit PoolRows(PoolTables& tables) : tables_(tables) {}

  // The next rows, at most kExportRows, appended to `rows`.  False: that were all.  `clock` turns our times into the
  // wall's.
  static constexpr std::size_t kExportRows = 512;
  bool export_part(ExportCursor& cursor, const WallClock& clock, std::vector<KeyStateRecord>& rows) const;

  // Rows of unknown keys are ignored; deadlines only extend.  `try_invalid` as in PoolSettings.
  void import(const KeyStateRecord& row, const WallClock& clock, bool try_invalid);

 private:
  void export_model(const ModelWaits::Pair& pair, const ModelWait& wait, const WallClock& clock,
                    std::vector<KeyStateRecord>& rows) const;
  void import_to(const WaitOwner& owner, const KeyStateRecord& row, const WallClock& clock, bool try_invalid);
  void merge(Health& health, const KeyStateRecord& row, const WallClock& clock, bool try_invalid);
  std::string_view kept(const std::string& reason);  // as static storage

  PoolTables& tables_;
  std::unordered_set<std::string> reasons_;  // of imported rows
};

}  // namespace akr
