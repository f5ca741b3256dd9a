// rfc3986.hpp - a second reading of RFC 3986 for tests and fuzzing, written from its grammar (appendix A) and sharing
// nothing with the code under test: only what stands where, and which characters may.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <arpa/inet.h>

namespace akr::test {

struct ReadUrl {
  std::string_view scheme, host, path;
  std::optional<std::string_view> userinfo, port, query, fragment;
};

namespace rfc3986 {

inline bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
inline bool is_one_of(char c, std::string_view set) { return c != '\0' && set.find(c) != std::string_view::npos; }

// Of unreserved, sub-delims, pct-encoded and `more`?
inline bool made_of(std::string_view text, std::string_view more) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_alpha(c) || is_digit(c) || is_one_of(c, "-._~!$&'()*+,;=") || is_one_of(c, more)) continue;
    if (c != '%' || i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
    i += 2;
  }
  return true;
}

inline bool is_scheme(std::string_view text) {
  if (text.empty() || !is_alpha(text[0])) return false;
  for (const char c : text) {
    if (!is_alpha(c) && !is_digit(c) && !is_one_of(c, "+-.")) return false;
  }
  return true;
}

// What stands between the brackets.
inline bool is_ip_literal(std::string_view text) {
  if (!text.empty() && (text[0] == 'v' || text[0] == 'V')) {  // IPvFuture
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos || dot < 2 || dot + 1 == text.size()) return false;
    for (const char c : text.substr(1, dot - 1)) {
      if (!is_hex(c)) return false;
    }
    return text.find('%') == std::string_view::npos && made_of(text.substr(dot + 1), ":");
  }
  for (const char c : text) {
    if (!is_hex(c) && c != ':' && c != '.') return false;
  }
  unsigned char bytes[16];
  return ::inet_pton(AF_INET6, std::string(text).c_str(), bytes) == 1;
}

// Cuts `text` at the first of `marks`; what stands behind is taken off it, with its mark.
inline std::optional<std::string_view> take_behind(std::string_view& text, std::string_view marks) {
  const std::size_t at = text.find_first_of(marks);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view behind = text.substr(at + 1);
  text = text.substr(0, at);
  return behind;
}

inline bool read_authority(std::string_view text, ReadUrl& url) {
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    url.userinfo = text.substr(0, at);
    if (!made_of(*url.userinfo, ":")) return false;
    text.remove_prefix(at + 1);
  }
  std::size_t end = std::min(text.find(':'), text.size());
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ip_literal(text.substr(1, close - 1))) return false;
    end = close + 1;
  } else if (!made_of(text.substr(0, end), "")) {
    return false;
  }
  url.host = text.substr(0, end);
  if (end == text.size()) return true;
  if (text[end] != ':') return false;
  url.port = text.substr(end + 1);
  for (const char c : *url.port) {
    if (!is_digit(c)) return false;
  }
  return true;
}

}  // namespace rfc3986

// URI = scheme "://" authority path-abempty ["?" query] ["#" fragment]; nullopt for anything else.
inline std::optional<ReadUrl> read_rfc3986(std::string_view text) {
  ReadUrl url;
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  url.scheme = text.substr(0, scheme_end);
  if (!rfc3986::is_scheme(url.scheme)) return std::nullopt;
  text.remove_prefix(scheme_end + 3);
  url.fragment = rfc3986::take_behind(text, "#");
  url.query = rfc3986::take_behind(text, "?");
  const std::size_t slash = std::min(text.find('/'), text.size());
  url.path = text.substr(slash);
  if (!rfc3986::made_of(url.path, ":@/") || !rfc3986::made_of(url.query.value_or(""), ":@/?") ||
      !rfc3986::made_of(url.fragment.value_or(""), ":@/?")) {
    return std::nullopt;
  }
  if (!rfc3986::read_authority(text.substr(0, slash), url)) return std::nullopt;
  return url;
}

}  // namespace akr::test
