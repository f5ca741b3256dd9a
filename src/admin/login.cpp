#include "admin/guard.hpp"
#include "admin/handlers.hpp"
#include "admin/problem.hpp"
#include "base/log.hpp"
#include "base/member_reader.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

// Secure as soon as the browser talks https, to us or to a proxy before us that the operator named.
std::string session_cookie(const AdminCall& call, const std::string& token) {
  const std::string& public_url = call.parts.settings.public_base_url;
  const std::string_view base = split_public_url(public_url).base;
  std::string cookie = "akr_session=" + token + "; HttpOnly; SameSite=Strict; Path=" + std::string(base) + "/admin";
  cookie += "; Max-Age=" + std::to_string(kSessionLifetime.count());
  if (browser_uses_https(call.request, public_url)) cookie += "; Secure";
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
