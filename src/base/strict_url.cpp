#include "base/strict_url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/strings.hpp"

namespace akr {
namespace {

Error invalid(const char* message) { return {.code = ErrorCode::kInvalid, .message = message}; }

template <class Text>  // a string_view of the library's own kind
std::string_view view(const Text& text) {
  return {text.data(), text.size()};
}

StrictUrl parts_of(const boost::urls::url_view& url) {
  StrictUrl parts;
  parts.scheme = view(url.scheme());
  parts.userinfo = view(url.encoded_userinfo());
  parts.host = view(url.encoded_host());
  parts.port = view(url.port());
  parts.path = view(url.encoded_path());
  parts.query = view(url.encoded_query());
  parts.fragment = view(url.encoded_fragment());
  parts.has_userinfo = url.has_userinfo();
  parts.has_port = url.has_port();
  parts.has_query = url.has_query();
  parts.has_fragment = url.has_fragment();
  return parts;
}

// The parts one after the other: is this what was given?
bool spells(const StrictUrl& parts, std::string_view text) {
  const auto take = [&text](std::string_view part) {
    if (!text.starts_with(part)) return false;
    text.remove_prefix(part.size());
    return true;
  };
  bool same = take(parts.scheme) && take("://");
  if (parts.has_userinfo) same = same && take(parts.userinfo) && take("@");
  same = same && take(parts.host);
  if (parts.has_port) same = same && take(":") && take(parts.port);
  same = same && take(parts.path);
  if (parts.has_query) same = same && take("?") && take(parts.query);
  if (parts.has_fragment) same = same && take("#") && take(parts.fragment);
  return same && text.empty();
}

}  // namespace

Result<StrictUrl> parse_strict_url(std::string_view text) {
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (!parsed || !parsed->has_authority()) {
    return invalid("not a URL of the form scheme://host[:port][/path]; other characters are written as %XX");
  }
  const StrictUrl parts = parts_of(*parsed);
  if (parts.host.empty()) return invalid("the URL needs a host after '//'");
  if ((!parts.path.empty() && !parts.path.starts_with('/')) || !spells(parts, text)) {
    return invalid(
        "the host (with its port) must end before '/', '?' or the end of the URL: a name that begins like an IP "
        "address, or letters behind a port or a bracket, are not accepted; use another name for that host");
  }
  return parts;
}

Result<std::uint16_t> parse_port(std::string_view digits) {
  const auto port = parse_u64(digits);
  if (!port || *port == 0 || *port > 65535) return invalid("the port must be a number from 1 to 65535");
  return static_cast<std::uint16_t>(*port);
}

}  // namespace akr
