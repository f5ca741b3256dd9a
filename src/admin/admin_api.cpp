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
        validations(settings.validations_at_once),
        parts{settings, store, publisher, clock, sessions, throttle, validations, prober} {}

  const AdminSettings settings;
  const Sessions sessions;
  LoginThrottle throttle;
  net::Budget validations;
  AdminParts parts;
};

AdminApi::AdminApi(AdminSettings settings, ConfigStore& store, Publisher& publisher, const Clock& clock,
                   KeyProber* prober)
    : state_(std::make_unique<State>(std::move(settings), store, publisher, clock, prober)) {}

AdminApi::~AdminApi() = default;

bool AdminApi::accepts(std::string_view token) const { return state_->sessions.accepts(std::string(token)); }

// Before anything but the head is looked at: a stranger learns nothing and costs nothing.
AdminAdmission AdminApi::admit(const AdminRequest& head) {
  AdminAdmission admission;
  auto match = find_endpoint(head.method, head.path);
  if (!match) {
    admission.refused = refuse(head, match.error());
    return admission;
  }
  const Endpoint& endpoint = *match->endpoint;
  admission.endpoint = &endpoint;
  admission.ids = std::move(match->ids);
  admission.body_limit = endpoint.body_limit;
  admission.work = endpoint.work;
  admission.known = endpoint.access == Access::kSession;
  if (auto stranger = admission.known ? refuse_stranger(head, state_->sessions, state_->parts.settings.public_base_url)
                                      : std::nullopt) {
    admission.refused = problem_response(*stranger, head);
    finish(head, *admission.refused);
    return admission;
  }
  if (endpoint.work != AdminWork::kPassword) return admission;
  auto allowed = state_->throttle.begin_attempt(head.client_ip, state_->parts.clock.now());
  if (allowed) {
    admission.login = *std::move(allowed);
  } else {
    log_warn("login_throttled", {{"client_ip", head.client_ip}});
    admission.refused = refuse(head, allowed.error());
  }
  return admission;
}

AdminResponse AdminApi::handle(const AdminRequest& request) {
  AdminAdmission admission = admit(request);
  if (admission.refused) return *std::move(admission.refused);
  return handle(request, std::move(admission));
}

AdminResponse AdminApi::handle(const AdminRequest& request, AdminAdmission admission) {
  AdminResponse response;
  try {
    response = answer(request, admission);
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

AdminResponse AdminApi::refuse(const AdminRequest& request, const Error& why) {
  Problem problem = to_problem(why);
  problem.login = request.path == kLoginPath;
  AdminResponse response = problem_response(problem, request);
  finish(request, response);
  return response;
}

// What every answer carries.
void AdminApi::finish(const AdminRequest& request, AdminResponse& response) {
  if (response.wait) {
    const auto later = [finish_it = std::move(response.wait->finish), id = request.request_id] {
      AdminResponse whole = finish_it();
      AdminRequest asked;
      asked.request_id = id;
      finish(asked, whole);
      return whole;
    };
    response.wait->finish = later;
    return;
  }
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

AdminResponse AdminApi::answer(const AdminRequest& request, AdminAdmission& admission) {
  // A browser sends no JSON across origins without asking first, and nobody here says yes.
  if (auto refused = refuse_foreign_body(request)) return problem_response(*refused, request);

  AdminCall call{request, state_->parts, std::move(admission.ids), &admission.login};
  auto answered = admission.endpoint->handle(call);
  if (!answered) return problem_response(to_problem(answered.error()), request);
  return *std::move(answered);
}

}  // namespace akr
