// forwarded.hpp - the grammar of Forwarded (RFC 7239) and of the nodes in it and in X-Forwarded-For.  Pure.
//
//   Forwarded = element *( "," element )    element = [ pair ] *( ";" [ pair ] )    pair = token "=" ( token | quoted )
//   node      = address [ ":" port ] | "[" IPv6 "]" [ ":" port ] | "unknown" | "_" 1*( ALPHA / DIGIT / "." / "_" / "-"
//   )
//
// A bare IPv6 address is a node, too: X-Forwarded-For has them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.hpp"

namespace akr::net {

struct ForwardedElement {
  std::string node;   // for=, unquoted; "" = it was not said
  std::string proto;  // proto=
};

// Appends the elements of one field line.  False: not the grammar, or a parameter twice in one element.
bool parse_forwarded(std::string_view value, std::vector<ForwardedElement>& elements);

struct ForwardedNode {
  enum class Kind { kAddress, kHidden, kMalformed } kind = Kind::kMalformed;
  IpAddress address = {};  // of kAddress
};
ForwardedNode parse_node(std::string_view text);

}  // namespace akr::net
