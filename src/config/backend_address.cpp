#include "config/backend_address.hpp"

#include <algorithm>
#include <utility>

#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::uint16_t kMysqlPort = 3306;
constexpr std::uint16_t kPostgresqlPort = 5432;
constexpr std::uint16_t kRedisPort = 6379;

using Parts = std::pair<std::string_view, std::string_view>;

// Before and after the separator; all before it if there is none.
Parts cut(std::string_view text, std::size_t at) {
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

// Names and addresses only: a host with a '?', '#' or '%' in it is one that others would end elsewhere.
bool is_host(std::string_view text, bool in_brackets) {
  if (in_brackets && text.find(':') == std::string_view::npos) return false;
  return !text.empty() && std::ranges::all_of(text, [in_brackets](char c) {
    const char lower = ascii_lower(c);
    if (c >= '0' && c <= '9') return true;
    if (in_brackets) return (lower >= 'a' && lower <= 'f') || c == ':' || c == '.';
    return (lower >= 'a' && lower <= 'z') || c == '-' || c == '.' || c == '_';
  });
}

bool read_host_port(std::string_view text, ServerAddress& into) {
  std::string_view port;
  const bool in_brackets = text.starts_with('[');
  if (in_brackets) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return false;
    port = rest.empty() ? rest : rest.substr(1);
    text = text.substr(1, close - 1);
  } else {
    std::tie(text, port) = cut(text, text.find(':'));
  }
  if (!is_host(text, in_brackets)) return false;
  into.host = text;
  if (port.empty()) return true;
  const auto number = parse_u64(port);
  if (!number || *number == 0 || *number > 65535) return false;
  into.port = static_cast<std::uint16_t>(*number);
  return true;
}

// scheme:// is gone.  `at` stands last before the host, so a password may hold one.
std::optional<ServerAddress> parse_authority(std::string_view text, std::uint16_t default_port) {
  ServerAddress address{.port = default_port};
  const auto [authority, path] = cut(text, text.find('/'));
  const auto at = authority.rfind('@');
  if (at != std::string_view::npos) {
    const auto [user, password] = cut(authority.substr(0, at), authority.substr(0, at).find(':'));
    const auto plain_user = percent_decode(user);
    auto plain_password = percent_decode(password);
    if (!plain_user || !plain_password) return std::nullopt;
    address.user = *plain_user;
    address.password = Secret(*plain_password);
    wipe(*plain_password);
  }
  if (!read_host_port(at == std::string_view::npos ? authority : authority.substr(at + 1), address)) {
    return std::nullopt;
  }
  const auto [name, options] = cut(path, path.find('?'));
  const auto plain_name = percent_decode(name);
  if (!plain_name) return std::nullopt;
  address.database = *plain_name;
  address.options = options;
  return address;
}

// Go's driver cuts at the last '/', then at the last '@', so that passwords may hold both.
std::optional<ServerAddress> parse_go_dsn(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos || !text.substr(0, slash).ends_with(')')) return std::nullopt;
  const std::string_view left = text.substr(0, slash - 1);
  const std::size_t tcp = left.rfind("tcp(");
  const std::size_t unix_socket = left.rfind("unix(");
  if (tcp == std::string_view::npos && unix_socket == std::string_view::npos) return std::nullopt;
  const bool is_socket = tcp == std::string_view::npos || (unix_socket != std::string_view::npos && unix_socket > tcp);
  const std::size_t open = is_socket ? unix_socket + 4 : tcp + 3;
  const std::string_view before = left.substr(0, open + 1);  // "user:password@tcp("
  ServerAddress address{.port = kMysqlPort};
  const std::size_t at = before.rfind('@');
  if (at != std::string_view::npos) {
    const auto [user, password] = cut(before.substr(0, at), before.substr(0, at).find(':'));
    address.user = user;
    address.password = Secret(password);
  }
  const std::string_view host = left.substr(open + 1);
  if (is_socket) {
    address.host = host;
  } else if (!read_host_port(host, address)) {
    return std::nullopt;
  }
  const auto [name, options] = cut(text.substr(slash + 1), text.substr(slash + 1).find('?'));
  address.database = name;
  address.options = options;
  return address;
}

bool is_go_dsn(std::string_view text) {
  return text.starts_with("tcp(") || text.starts_with("unix(") || text.find("@tcp(") != std::string_view::npos ||
         text.find("@unix(") != std::string_view::npos;
}

std::optional<DatabaseAddress> server(DatabaseKind kind, std::optional<ServerAddress> address) {
  if (!address || address->host.empty() || address->database.empty()) return std::nullopt;
  return DatabaseAddress{.kind = kind, .server = *std::move(address)};
}

// The rest of `text` behind the first of `prefixes` that it starts with.
std::optional<std::string_view> behind(std::string_view text, std::initializer_list<std::string_view> prefixes) {
  for (std::string_view prefix : prefixes) {
    if (istarts_with(text, prefix)) return text.substr(prefix.size());
  }
  return std::nullopt;
}

}  // namespace

std::optional<DatabaseAddress> parse_database_url(std::string_view url) {
  url = trim(url);
  if (const auto path = behind(url, {"sqlite://", "sqlite3://", "file://", "sqlite3:", "sqlite:", "file:"})) {
    if (path->empty()) return std::nullopt;
    return DatabaseAddress{.kind = DatabaseKind::kSqlite, .file = std::string(*path)};
  }
  if (const auto rest = behind(url, {"mysql://", "mariadb://"})) {
    return server(DatabaseKind::kMysql, is_go_dsn(*rest) ? parse_go_dsn(*rest) : parse_authority(*rest, kMysqlPort));
  }
  if (const auto rest = behind(url, {"postgresql://", "postgres://"})) {
    return server(DatabaseKind::kPostgresql, parse_authority(*rest, kPostgresqlPort));
  }
  if (is_go_dsn(url)) return server(DatabaseKind::kMysql, parse_go_dsn(url));
  return std::nullopt;
}

std::optional<ServerAddress> parse_redis_url(std::string_view url) {
  url = trim(url);
  const auto rest = behind(url, {"redis://", "rediss://"});
  if (!rest) return std::nullopt;
  auto address = parse_authority(*rest, kRedisPort);
  if (!address || (!address->database.empty() && !parse_u64(address->database))) return std::nullopt;
  address->tls = istarts_with(url, "rediss://");
  return address;
}

}  // namespace akr
