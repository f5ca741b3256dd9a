// plain_keys.hpp - the API keys in a copy of a database: sealed where the copy was made before the database's own were,
// and opened where a person asks for a copy for the first version.
#pragma once

#include <cstddef>

#include <soci/soci.h>

#include "store/key_cipher.hpp"
#include "store/sql/sql_backend.hpp"

namespace akr {

// Seals every plain key of the copy in place; everything else stays as the version it is a copy of had it, so that
// open_database() can still take the copy over.  Returns how many.  REQUIRES: inside a write transaction.  Throws
// soci::soci_error.
std::size_t seal_keys_of_copy(OpenedCopy& copy, const Dialect& dialect, const KeyCipher& cipher);

// The reverse: every key becomes plain, and those that do not open are removed.  Returns how many are left.  The same
// rules.
std::size_t open_keys_of_copy(soci::session& session, const KeyCipher& cipher);

}  // namespace akr
