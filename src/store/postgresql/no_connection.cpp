#include "store/postgresql/no_connection.hpp"

#include <algorithm>
#include <memory>

#include <libpq-fe.h>
#include <poll.h>

namespace akr {
namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

// False: the time is up.
bool wait_for(PGconn* connection, short events, std::chrono::steady_clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
  pollfd socket = {PQsocket(connection), events, 0};
  return left > 0 && ::poll(&socket, 1, static_cast<int>(std::min<long long>(left, 60'000))) > 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "... FATAL:  28P01: password authentication failed ..."; five letters and digits, some of them digits (which "FATAL"
// has none of), between two colons.
std::string state_in(const std::string& message) {
  for (std::size_t at = 0; (at = message.find(": ", at)) != std::string::npos; ++at) {
    const auto begin = message.find_first_not_of(' ', at + 1);
    if (begin == std::string::npos || message.size() < begin + 6 || message[begin + 5] != ':') continue;
    std::string state = message.substr(begin, 5);
    const bool fits = std::ranges::all_of(state, [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); });
    if (fits && std::ranges::any_of(state, is_digit)) return state;
  }
  return "";
}

}  // namespace

NoConnection ask_why(const std::string& connect_string, std::chrono::steady_clock::time_point end) {
  const Connection connection(PQconnectStart(connect_string.c_str()), &PQfinish);
  if (!connection) return {"no memory", ""};
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  if (PQstatus(connection.get()) == CONNECTION_BAD) status = PGRES_POLLING_FAILED;
  while (status == PGRES_POLLING_WRITING || status == PGRES_POLLING_READING) {
    const short events = status == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
    if (!wait_for(connection.get(), events, end)) return {"timeout expired", ""};
    status = PQconnectPoll(connection.get());
  }
  if (status == PGRES_POLLING_OK) return {"the server was away for a moment", "", true};
  const std::string message = PQerrorMessage(connection.get());
  return {message, state_in(message)};
}

}  // namespace akr
