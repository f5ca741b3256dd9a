// field_line.hpp - writes a field of a message head.
#pragma once

#include <string>
#include <string_view>

namespace akr::net {

// "Name: value\r\n".  REQUIRES: neither holds CR, LF or NUL; values of clients and upstreams were checked by the
// parser.
inline void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

}  // namespace akr::net
