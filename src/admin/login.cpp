#include "admin/handlers.hpp"
#include "admin/member_reader.hpp"
#include "admin/problem.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

// "https://h:p/base/" -> {"https", "h:p", "/base"}
struct PublicUrl {
  std::string_view scheme, host, base;
};

PublicUrl split_public_url(std::string_view url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return {};
  PublicUrl parts{.scheme = url.substr(0, scheme_end)};
  url.remove_prefix(scheme_end + 3);
  const auto slash = url.find('/');
  parts.host = url.substr(0, slash);
  if (slash != std::string_view::npos) parts.base = url.substr(slash);
  while (parts.base.ends_with('/')) parts.base.remove_suffix(1);
  return parts;
}

// Secure as soon as the browser talks https, to us or to a proxy before us that the operator named.
std::string session_cookie(const AdminCall& call, const std::string& token) {
  const PublicUrl url = split_public_url(call.parts.settings.public_base_url);
  const std::string* host = find_header(call.request, "host");
  const bool behind_tls = iequals(url.scheme, "https") && host != nullptr && iequals(*host, url.host);
  std::string cookie = "akr_session=" + token + "; HttpOnly; SameSite=Strict; Path=" + std::string(url.base) + "/admin";
  cookie += "; Max-Age=" + std::to_string(kSessionLifetime.count());
  if (call.request.tls || behind_tls) cookie += "; Secure";
  return cookie;
}

AdminResponse refuse(const AdminCall& call, const Error& error) {
  Problem problem = to_problem(error);
  problem.login = true;
  return problem_response(problem, call.request);
}

}  // namespace

Result<AdminResponse> post_login(AdminCall& call) {
  const Error malformed{ErrorCode::kBadRequest, "Invalid request"};
  const auto object = parse_json_object(call.request.body);
  if (!object) return malformed;
  std::string username, password;
  MemberReader in(*object);
  in.text("username", username);
  in.text("password", password);
  if (!in.result() || username.empty() || password.empty()) return malformed;

  const std::string& client = call.request.client_ip;
  if (auto allowed = call.login->guess(call.parts.clock.now()); !allowed) {
    log_warn("login_throttled", {{"client_ip", client}});
    return refuse(call, allowed.error());
  }
  // Both are always checked: the answer's time must not tell which one was wrong.
  const bool name_fits = Secret(call.parts.settings.username).equals(username);
  const bool password_fits = call.parts.settings.password.matches(password);
  wipe(password);
  if (!(name_fits && password_fits)) {
    log_warn("login_failed", {{"client_ip", client}});
    return refuse(call, {ErrorCode::kUnauthorized, "Invalid credentials"});
  }
  call.login->succeeded();
  log_info("login", {{"client_ip", client}});

  const std::string token = call.parts.sessions.issue();
  AdminResponse response = json_response(200, {{"message", "Login successful"},
                                               {"success", true},
                                               {"access_token", token},
                                               {"token_type", "bearer"},
                                               {"expires_in", kSessionLifetime.count()}});
  response.headers.emplace_back("Set-Cookie", session_cookie(call, token));
  return response;
}

}  // namespace akr
