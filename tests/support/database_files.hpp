// database_files.hpp - the programs of the database servers, and data directories as they make them: made once per
// machine and copied, since a server takes longer to make one than to start.
#pragma once

#include <string>
#include <vector>

#include "base/database_kinds.hpp"

namespace akr::test {

struct ServerProgram {
  const char* name;
  const char* package;  // of Debian
  int ends_in_order;    // signals
  int ends_at_once;
  const char* socket;  // what a local session's host is called in the server's directory; "": it is that directory
};

// Throws for what is no server.
const ServerProgram& server_program(DatabaseKind kind);

// The newest program of this name where Debian puts them, or "".
std::string find_database_program(const std::string& name);

// Fills `directory`, which must not exist, with the data directory of a new server and its accounts.  Throws.
void make_data_directory(DatabaseKind kind, const std::string& directory);

// Runs it as the user whose server it is (as_server_user) and waits.  Throws with its output if it fails.
void run_database_program(DatabaseKind kind, const std::vector<std::string>& command);

// As root, PostgreSQL gets a user of its own, since it refuses to be root.  Between fork and exec; not for MariaDB.
void become_server_user(DatabaseKind kind);
// Gives a file or directory to that user.
void give_to_server_user(DatabaseKind kind, const std::string& path);

}  // namespace akr::test
