#include "app/front_door.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include <boost/json.hpp>

#include "base/error_table.hpp"
#include "base/strings.hpp"
#include "net/http/field_line.hpp"
#include "net/loop/signal.hpp"
#include "net/loop/worker.hpp"
#include "proxy/answer/error_reply.hpp"
#include "store/call_deadline.hpp"

namespace akr {
namespace {

bool is_below(std::string_view path, std::string_view root) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

// Everything but the body.
AdminRequest admin_request(net::Downstream& client, std::string id) {
  const net::MessageHead& head = client.head();
  std::string_view query = head.target();
  AdminRequest request;
  request.method = head.method();
  request.path = take_part(query, '?');
  request.query = query;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const net::Field field = head.field(i);
    request.headers.emplace_back(to_lower(field.name), std::string(field.value));
  }
  request.client_ip = client.client_ip();
  request.https = client.client_https();
  request.request_id = std::move(id);
  return request;
}

std::string plain_error(const Error& error, std::string_view id) { return error_body(nullptr, for_people(error), id); }

std::string json_fields(std::string_view id) {
  std::string fields = "Content-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n";
  fields += "X-Rotator-Error-Source: gateway\r\n";
  if (!id.empty()) net::append_field(fields, "X-Request-Id", id);
  return fields;
}

ErrorCode code_of(net::HeadError error) {
  switch (error) {
    case net::HeadError::kTooLarge:
      return ErrorCode::kHeadTooLarge;
    case net::HeadError::kExpectation:
      return ErrorCode::kExpectationFailed;
    case net::HeadError::kCrowded:
      return ErrorCode::kOverloaded;
    case net::HeadError::kNone:
    case net::HeadError::kSyntax:
    case net::HeadError::kVersion:
    case net::HeadError::kHost:
    case net::HeadError::kFraming:
      break;
  }
  return ErrorCode::kBadRequest;
}

Error no_room_for_strangers() {
  return {.code = ErrorCode::kOverloaded,
          .message = std::string(net::describe(net::HeadError::kCrowded)),
          .retry_after = 1};
}

Error queue_full(const net::Budget& logins) {
  return {.code = ErrorCode::kTooManyRequests,
          .message = "So many logins (LOGIN_QUEUE: " + std::to_string(logins.limit()) +
                     ") wait for their password to be checked; try again in a moment.",
          .retry_after = 1};
}

// How long the body may become, as far as its head tells.
std::uint64_t longest_body(const net::MessageHead& head, std::uint64_t limit) {
  switch (head.body_kind()) {
    case net::BodyKind::kNone:
      return 0;
    case net::BodyKind::kLength:
      return std::min(head.content_length(), limit);
    case net::BodyKind::kChunked:
    case net::BodyKind::kUntilClose:
      break;
  }
  return limit;
}

// The whole body, or why not.
net::Task<Result<std::string>> read_body(net::Downstream& client, std::uint64_t limit) {
  const Error too_large = {ErrorCode::kBodyTooLarge, "the request body is over the limit of " + std::to_string(limit) +
                                                         " bytes of this endpoint"};
  std::string body;
  if (client.head().content_length() > limit) co_return too_large;
  // At once, so that nothing is copied while it grows: memory that no byte has come for costs nothing.
  body.reserve(static_cast<std::size_t>(longest_body(client.head(), limit)));
  client.send_continue();
  for (;;) {
    std::string_view run;
    const net::IoResult result = client.try_read_body(run);
    if (result.status == net::IoStatus::kEof) co_return std::move(body);
    if (result.status == net::IoStatus::kError) co_return client.body_error(result.error);
    if (result.status == net::IoStatus::kWouldBlock) {
      const net::WaitEnd end = co_await net::wait_for(client.socket(), result.want, client.body_deadline());
      if (end != net::WaitEnd::kReady) co_return client.body_error(ETIMEDOUT);
      continue;
    }
    if (client.body_counted() > limit) co_return too_large;
    body += run;
  }
}

}  // namespace

FrontDoor::FrontDoor(Gateway& gateway, AccessLog& log, AdminApi& admin, Operations& operations,
                     const AdminThreads& threads)
    : gateway_(gateway), log_(log), admin_(admin), operations_(operations), threads_(threads) {}

net::Task<void> FrontDoor::handle(net::Downstream& client) {
  const std::string_view target = client.head().target();
  if (target.starts_with("/proxy/") || target.starts_with("/llm/")) {
    return operations_.locked() ? refuse_locked(client) : gateway_.handle(client);
  }
  if (is_below(target.substr(0, target.find('?')), "/admin")) return serve_admin(client);
  return serve_operations(client);
}

net::Task<void> FrontDoor::serve_admin(net::Downstream& client) {
  AdminRequest request = admin_request(client, ids_.id_of(client.head()));
  // Before the body is read: a stranger must not make us buffer anything.
  AdminAdmission admission = admin_.admit(request);
  AdminResponse response;
  if (admission.refused) {
    response = *std::move(admission.refused);
  } else {
    response = co_await answer_admin(client, request, std::move(admission));
  }
  std::string fields;
  for (const auto& [name, value] : response.headers) net::append_field(fields, name, value);
  co_await client.reply(response.status, std::move(fields), std::move(response.body));
}

net::Task<AdminResponse> FrontDoor::answer_admin(net::Downstream& client, AdminRequest& request,
                                                 AdminAdmission admission) {
  // Who has not logged in yet is a stranger to the end; `request` is a copy of the head.
  net::BudgetShare memory = client.stranger_share();
  if (admission.known) {
    client.recognise();
  } else if (!memory.grow_to(client.head().size() + longest_body(client.head(), admission.body_limit))) {
    client.forbid_keep_alive();
    co_return admin_.refuse(request, no_room_for_strangers());
  }
  auto body = co_await read_body(client, admission.body_limit);
  if (!body) {
    client.forbid_keep_alive();
    co_return admin_.refuse(request, body.error());
  }
  request.body = *std::move(body);

  const bool password = admission.work == AdminWork::kPassword;
  net::BudgetShare place(&threads_.logins);
  if (password && !place.grow_to(1)) co_return admin_.refuse(request, queue_full(threads_.logins));
  auto work = [this, &request, admitted = std::move(admission)]() mutable {
    const CallDeadline all_calls(std::chrono::steady_clock::now() + threads_.database_time);
    return admin_.handle(request, std::move(admitted));
  };
  net::BlockingPool& pool = password ? threads_.passwords : threads_.store;
  AdminResponse response = co_await pool.run(client.worker(), std::move(work));
  if (!response.wait) co_return response;
  const std::shared_ptr<AdminWait> wait = std::move(response.wait);
  co_return co_await finish_later(client, request, *wait);
}

net::Task<AdminResponse> FrontDoor::finish_later(net::Downstream& client, const AdminRequest& request,
                                                 AdminWait& wait) {
  const auto signal = std::make_shared<net::Signal>(client.worker());
  wait.start([signal] { signal->raise(); });
  const net::SignalEnd end = co_await signal->wait(client.socket());
  switch (end) {
    case net::SignalEnd::kRaised:
      co_return wait.finish();
    case net::SignalEnd::kClientGone:
      client.mark_broken(true);
      co_return admin_.refuse(request, {ErrorCode::kClientGone, "the client left"});
    case net::SignalEnd::kCancelled:
      break;
  }
  client.forbid_keep_alive();
  co_return admin_.refuse(request, {ErrorCode::kShuttingDown, "the gateway is shutting down"});
}

net::Task<void> FrontDoor::serve_operations(net::Downstream& client) {
  // Anybody may ask, and what it costs depends on the number of services: it is paid for by the clock.
  const TimePoint began = std::chrono::steady_clock::now();
  OperationsAnswer answer = operations_.answer(client.head());
  client.socket().charge_time(std::chrono::steady_clock::now() - began);
  std::string id = ids_.id_of(client.head());
  net::append_field(answer.fields, "X-Request-Id", id);
  if (answer.status > 299) answer.fields += "X-Rotator-Error-Source: gateway\r\n";
  co_await client.reply(answer.status, std::move(answer.fields), std::move(answer.body));
}

net::Task<void> FrontDoor::refuse_locked(net::Downstream& client) {
  const Error error = {ErrorCode::kLocked,
                       "the gateway is locked: its ENCRYPTION_KEY is not the one the stored keys were encrypted with"};
  const std::string id = ids_.id_of(client.head());
  const Dialect* const dialect = guess_dialect(client.head());
  co_await client.reply(status_of(error.code), json_fields(id), error_body(dialect, for_people(error), id));
}

void FrontDoor::refused(net::Downstream& client, net::HeadError error, int& status, std::string& fields,
                        std::string& body) {
  Error reason = {ErrorCode::kRequestTimeout, "the request head came too slowly"};
  if (error != net::HeadError::kNone) {
    status = net::http_status(error);
    reason = {code_of(error), std::string(net::describe(error))};
  }
  fields = json_fields("");
  if (error == net::HeadError::kCrowded) fields += "Retry-After: 1\r\n";
  body = plain_error(reason, "");
  log_.record_refused(client.client_ip(), status, reason);
}

bool FrontDoor::for_operators(const net::MessageHead& head) const {
  const std::string_view path = head.target().substr(0, head.target().find('?'));
  return path == "/healthz" || path == "/readyz" || path == "/metrics" || is_below(path, "/admin");
}

void FrontDoor::crowded(net::Downstream& client, net::NoPlace why, int& status, std::string& fields,
                        std::string& body) {
  const bool share = why == net::NoPlace::kShare;
  const Error reason = {.code = ErrorCode::kOverloaded,
                        .message = share
                                       ? "too many connections or requests at the same time from this client address; "
                                         "the operator may raise MAX_CONNECTIONS_PER_ADDRESS"
                                       : "all connections of the gateway are in use; try again later, or the "
                                         "operator may raise MAX_CONNECTIONS",
                        .retry_after = 1};
  const std::string id = ids_.id_of(client.head());
  status = status_of(reason.code);
  fields = json_fields(id) + "Retry-After: " + std::to_string(reason.retry_after) + "\r\n";
  body = error_body(guess_dialect(client.head()), for_people(reason), id);
  log_.record_refused(client.client_ip(), status, reason);
}

}  // namespace akr
