// subprotocols.hpp - what a browser puts into Sec-WebSocket-Protocol because it can set no other field on a websocket:
// the access key, and the names of accounts.  Such subprotocols are for us and stay here; all others travel on.
//
//   Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.KEY, openai-organization.ORG
//
// What only looks like such a list might hold the key in a place that nobody finds, so it is told apart: a request with
// it is refused (authenticate.hpp), and nothing of it travels.  Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/strings.hpp"
#include "net/http/http1.hpp"

namespace akr {

// Calls visit(subprotocol) for each one in a field's value.
template <class Visit>
void for_each_subprotocol(std::string_view value, Visit visit) {
  while (!value.empty()) {
    const std::string_view one = trim(take_part(value, ','));
    if (!one.empty()) visit(one);
  }
}

// The key that a subprotocol carries; "" if it carries none.
std::string_view key_in_subprotocol(std::string_view subprotocol);

// Is it a token (RFC 6455 section 4.1), and nothing that was meant to carry the key but is spelled another way?
bool is_clear_subprotocol(std::string_view subprotocol);

// Appends the field with what `head` offers and may travel on, if that is anything.
void append_subprotocols(const net::MessageHead& head, std::string& out);

// May an upstream choose it: does `head` offer it, and did it travel on?  A client gives up a websocket for any other.
bool may_be_chosen(const net::MessageHead& head, std::string_view subprotocol);

}  // namespace akr
