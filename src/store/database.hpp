// database.hpp - an opened database: owns the stores that live in it, and does what concerns the whole of it.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.hpp"
#include "store/config_store.hpp"
#include "store/key_pin_store.hpp"
#include "store/key_state_store.hpp"

namespace akr {

enum class DatabaseState {
  kOk,
  kNotWritable,  // full, read-only, failing: what is written is refused, and tried again
  kAway,         // its server does not answer: nothing is read or written, and it is tried again
  kLost,         // its files were deleted or replaced: until they are back or the next start nothing is written
};

// Blocking, safe for concurrent use.  The stores live as long as the Database.
class Database {
 public:
  virtual ~Database() = default;

  virtual ConfigStore& config() = 0;
  virtual KeyStateStore& key_states() = 0;
  virtual KeyPinStore& key_pins() = 0;

  // The encryption key is not the one this database was written with.  Services can be read, nothing else; nothing is
  // overwritten.  Only reset_tables() changes it.
  virtual bool locked() const = 0;

  // How it is now.  Cheap while all is well; after a write that failed, a small one tells whether it would work again.
  virtual DatabaseState look() = 0;

  // Writes a consistent copy to `path`, which must not exist; kUnsupported where the server has its own tools.
  virtual Result<void> backup_to(const std::string& path) = 0;

  // The same with the keys in plain text, which the first version of the gateway can use; returns how many there are.
  // Keys that cannot be opened are left out.
  virtual Result<std::size_t> plain_copy_to(const std::string& path) = 0;

  // RESET_DB_TABLES: empties the database after making a copy; returns the copy's path.  Nothing is emptied if the
  // copy cannot be made.
  virtual Result<std::string> reset_tables() = 0;
};

}  // namespace akr
