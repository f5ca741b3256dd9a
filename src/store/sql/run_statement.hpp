// run_statement.hpp - one statement, carried out at once, or prepared for many turns.
//
//   run(session, "DELETE FROM key_pins WHERE service_id = :id", soci::use(id));
//   soci::statement find = prepared(session, "SELECT id FROM t WHERE x = :x", soci::into(id), soci::use(x));
//
// Instead of SOCI's `session << "...", ...` and `(session.prepare << "...", ...)`: the first runs the statement in a
// destructor, where a second exception (no memory for a parameter) ends the process; the second prepares it in a
// constructor, which leaves it behind with its connection if it fails half-way; and both collect the text in a stream,
// which loses a part of it without a word.
#pragma once

#include <string>
#include <string_view>

#include <soci/soci.h>

namespace akr {

// Throws soci::soci_error.  What is exchanged must outlive the statement; execute() and fetch() are the caller's.
template <class... Exchanges>
soci::statement prepared(soci::session& session, std::string_view query, const Exchanges&... exchanges) {
  soci::statement statement(session);
  (statement.exchange(exchanges), ...);
  statement.alloc();
  statement.prepare(std::string(query));
  statement.define_and_bind();
  return statement;
}

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
