// no_connection.hpp - why a connection to PostgreSQL did not come about.
//
// The error that SOCI makes of it has the server's text, in the server's language, but not its code.
#pragma once

#include <chrono>
#include <string>

#include <soci/soci.h>

namespace akr {

class NoConnection final : public soci::soci_error {
 public:
  NoConnection(const std::string& message, std::string state, bool passed = false)
      : soci_error(message), state_(std::move(state)), passed_(passed) {}
  const std::string& state() const { return state_; }  // SQLSTATE; "": the server said nothing
  bool passed() const { return passed_; }              // the next connection came about

 private:
  std::string state_;
  bool passed_;
};

// Connects once more with the same words, in libpq's most talkative mode, until `end`.
NoConnection ask_why(const std::string& connect_string, std::chrono::steady_clock::time_point end);

}  // namespace akr
