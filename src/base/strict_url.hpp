// strict_url.hpp - a URL taken apart (RFC 3986).  The one place that asks the URL library: everything that we accept as
// a URL anywhere (services, proxies, settings) is read here, and scripts/check_layers.py lets nobody else include it.
//
// The library ends the host behind whatever looks like an IP address or a port and takes the rest as a path: of
// "http://127.0.0.1.nip.test/x" it makes the host 127.0.0.1 and the path ".nip.test/x", which sends a key to somebody
// else.  So what it understood counts only if the path is empty or begins with '/' and the parts, written out again,
// are byte for byte the text that was given.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace akr {

// Views into the text that was parsed; nothing is decoded and no letter changed.
struct StrictUrl {
  std::string_view scheme;
  std::string_view userinfo;  // "user:password"
  std::string_view host;      // IPv6 in its brackets
  std::string_view port;
  std::string_view path;  // "" or from its '/'
  std::string_view query;
  std::string_view fragment;
  bool has_userinfo = false;
  bool has_port = false;
  bool has_query = false;
  bool has_fragment = false;
};

// scheme://[userinfo@]host[:port][/path][?query][#fragment], the host not empty.  kInvalid (no field) otherwise; the
// message says what to do and repeats nothing of the text, which may hold a password.  `text` outlives the result.
Result<StrictUrl> parse_strict_url(std::string_view text);

// 1 to 65535; kInvalid (no field) for anything else.
Result<std::uint16_t> parse_port(std::string_view digits);

}  // namespace akr
