// http1_fixture.hpp - for tests: heads as text.
#pragma once

#include <string>

namespace akr::net {

inline std::string get(const std::string& fields) { return "GET /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n"; }
inline std::string post(const std::string& fields) { return "POST /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n"; }
inline std::string line(const std::string& request_line) { return request_line + "\r\nHost: h\r\n\r\n"; }
inline std::string ok(const std::string& fields) { return "HTTP/1.1 200 OK\r\n" + fields + "\r\n"; }

}  // namespace akr::net
