// run_statement.hpp - one statement, carried out at once.
//
//   run(session, "DELETE FROM key_pins WHERE service_id = :id", soci::use(id));
//
// Instead of SOCI's `session << "...", ...`: that runs the statement in a destructor, where a second exception (no
// memory for a parameter) ends the process, and collects its text in a stream, which loses a part of it without a word.
#pragma once

#include <string>
#include <string_view>

#include <soci/soci.h>

namespace akr {

// Throws soci::soci_error.  session.got_data() tells whether there was a row.
template <class... Exchanges>
void run(soci::session& session, std::string_view query, const Exchanges&... exchanges) {
  soci::statement statement(session);
  (statement.exchange(exchanges), ...);
  statement.alloc();
  statement.prepare(std::string(query), soci::details::st_one_time_query);
  statement.define_and_bind();
  statement.execute(true);
}

}  // namespace akr
