// database_copy.hpp - copy_database() over any two SqlBackends.
//
// What was copied last stands in the target's akr_meta, "copying", in the transaction that wrote it: a copy that was
// interrupted goes on behind it.  The marker goes when both sides have the same counts and checksums.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/copy_database.hpp"
#include "store/key_cipher.hpp"
#include "store/sql/copied_table.hpp"
#include "store/sql/schema.hpp"
#include "store/sql/sql_backend.hpp"
#include "store/sql/sql_sessions.hpp"

namespace akr {

class DatabaseCopy {
 public:
  DatabaseCopy(std::unique_ptr<SqlBackend> from, std::unique_ptr<SqlBackend> to, const KeyCipher& cipher,
               const CopyProgress& progress);

  Result<std::vector<CopiedTable>> run();

 private:
  struct Place {  // where the copy stands
    std::string table;
    std::vector<Cell> after;  // the key of the last row that was written
  };

  Result<void> prepare_source();
  Result<void> refuse_unknown_columns();
  Result<void> prepare_target();
  Result<void> refuse_filled(const SchemaState& found);
  Result<void> begin_anew();
  Result<void> begin();  // from the start
  Result<void> copy_all();
  Result<void> copy_table(const TableShape& table, std::vector<Cell> after);
  Error in_use(Error error) const;
  Result<void> write(const TableShape& table, std::vector<TableRow>& rows);
  Result<void> take_over_meta();
  Result<bool> compare(std::vector<CopiedTable>& tables);
  Result<TableSum> sum(SqlSessions& side, const TableShape& table);
  Result<std::uint64_t> count(SqlSessions& side, const TableShape& table);
  Result<void> finish();
  std::string marker(const TableShape* table, const TableRow* last) const;
  std::optional<Place> read_marker(const std::string& text, const std::vector<TableShape>& tables) const;

  std::unique_ptr<SqlBackend> from_backend_, to_backend_;
  const KeyCipher& cipher_;
  const CopyProgress& progress_;
  SqlSessions from_, to_;
  const std::vector<TableShape> tables_ = copied_tables();
  std::string source_id_;  // that no two databases have in common
  std::string found_marker_;
  bool resumed_ = false;  // an earlier call left the marker
};

}  // namespace akr
