#include "admin/admin_api.hpp"

#include <exception>

#include "admin/endpoints.hpp"
#include "admin/guard.hpp"
#include "admin/problem.hpp"
#include "base/log.hpp"

namespace akr {

struct AdminApi::State {
  State(AdminSettings given, ConfigStore& store, Publisher& publisher, const Clock& clock, KeyProber* prober)
      : settings(std::move(given)),
        sessions(settings.session_secret, settings.username, settings.password.identity(), clock),
        parts{settings, store, publisher, clock, sessions, throttle, prober} {}

  const AdminSettings settings;
  const Sessions sessions;
  LoginThrottle throttle;
  AdminParts parts;
};

AdminApi::AdminApi(AdminSettings settings, ConfigStore& store, Publisher& publisher, const Clock& clock,
                   KeyProber* prober)
    : state_(std::make_unique<State>(std::move(settings), store, publisher, clock, prober)) {}

AdminApi::~AdminApi() = default;

bool AdminApi::accepts(std::string_view token) const { return state_->sessions.accepts(std::string(token)); }

std::optional<AdminResponse> AdminApi::refuse(const AdminRequest& head) {
  auto refused = refuse_at_head(head);
  if (refused) finish(head, *refused);
  return refused;
}

AdminResponse AdminApi::handle(const AdminRequest& request) {
  AdminResponse response;
  try {
    response = answer(request);
  } catch (const std::bad_alloc& failure) {
    state_->parts.publisher.doubt();  // it may have been stored already
    // What it held is free again.  If even this is too much, the server answers with what it has at hand.
    log_failure("admin_failed", failure.what());
    response = problem_response(to_problem({ErrorCode::kOverloaded, "The gateway is out of memory."}), request);
  } catch (const std::exception& bug) {
    // Expected failures are values; what comes here is a bug, and must not take the process along.
    state_->parts.publisher.doubt();
    log_error("admin_failed", {{"path", request.path}, {"request_id", request.request_id}, {"what", bug.what()}});
    response = problem_response(to_problem({ErrorCode::kInternal, ""}), request);
  }
  finish(request, response);
  return response;
}

// What every answer carries.
void AdminApi::finish(const AdminRequest& request, AdminResponse& response) {
  for (const auto& [name, value] : {std::pair{"Cache-Control", "no-store"},
                                    {"X-Content-Type-Options", "nosniff"},
                                    {"X-Frame-Options", "DENY"},
                                    {"Referrer-Policy", "no-referrer"},
                                    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
                                    {"Cross-Origin-Resource-Policy", "same-origin"}}) {
    response.headers.emplace_back(name, value);
  }
  response.headers.emplace_back("X-Request-Id", request.request_id);
}

// Before anything but the head is looked at: a stranger learns nothing and costs nothing.
std::optional<AdminResponse> AdminApi::refuse_at_head(const AdminRequest& request) {
  const auto match = find_endpoint(request.method, request.path);
  if (!match) return problem_response(to_problem(match.error()), request);
  if (match->endpoint->access == Access::kPublic) return std::nullopt;
  auto refused = refuse_stranger(request, state_->sessions, state_->parts.settings.public_base_url);
  if (!refused) return std::nullopt;
  return problem_response(*refused, request);
}

AdminResponse AdminApi::answer(const AdminRequest& request) {
  if (auto refused = refuse_at_head(request)) return *std::move(refused);
  const auto match = find_endpoint(request.method, request.path);
  // A browser sends no JSON across origins without asking first, and nobody here says yes.
  if (auto refused = refuse_foreign_body(request)) return problem_response(*refused, request);

  AdminCall call{request, state_->parts, match->ids};
  auto answered = match->endpoint->handle(call);
  if (!answered) return problem_response(to_problem(answered.error()), request);
  return *std::move(answered);
}

}  // namespace akr
