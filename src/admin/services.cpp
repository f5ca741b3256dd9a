#include "admin/handlers.hpp"
#include "admin/member_reader.hpp"
#include "admin/problem.hpp"
#include "admin/wire.hpp"
#include "base/log.hpp"

namespace akr {
namespace {

constexpr const char* kNotFoundText = "Config not found";
constexpr const char* kBadIdText = "Invalid ID";
constexpr int kMergeTries = 5;

std::optional<PoolCounts> counts_of(AdminCall& call, ServiceId id) {
  const auto pool = call.parts.publisher.pool(id);
  if (!pool) return std::nullopt;
  return pool->counts(call.parts.clock.now());
}

// With what is known about its keys and URLs now.
boost::json::object describe(AdminCall& call, const Service& service) {
  boost::json::object out = write_service(service, counts_of(call, service.id));
  const auto upstreams = call.parts.publisher.upstreams(service.id);
  if (!upstreams) return out;
  out["upstream_states"] = write_upstream_states(*upstreams, {call.parts.clock.now(), call.parts.clock.wall()});
  return out;
}

AdminResponse service_response(AdminCall& call, int status, const Service& service) {
  AdminResponse response = json_response(status, describe(call, service));
  response.headers.emplace_back("ETag", service_etag(service));
  return response;
}

Result<Service> find_by_path_id(AdminCall& call) {
  const auto id = path_id(call, kBadIdText);
  if (!id) return id.error();
  auto found = call.parts.store.find_service(ServiceId{*id});
  if (!found) return with_not_found_text(found.error(), kNotFoundText);
  return found;
}

bool stale(const AdminCall& call, const Service& service) {
  const std::string* wanted = find_header(call.request, "if-match");
  return wanted != nullptr && *wanted != "*" && *wanted != service_etag(service);
}

AdminResponse precondition_failed(AdminCall& call, const Service& service) {
  Problem problem{.status = 412,
                  .code = "precondition_failed",
                  .title = "Changed meanwhile",
                  .detail = "The service was changed since it was read."};
  problem.params["current"] = write_service(service, std::nullopt);
  AdminResponse response = problem_response(problem, call.request);
  response.headers.emplace_back("ETag", service_etag(service));
  return response;
}

// Reads, changes and writes, again if somebody else wrote in between: absent members keep *their* values, not the ones
// we happened to read.  `change` -> Result<ServiceInput>.
template <class Change, class Answer>
Result<AdminResponse> merge(AdminCall& call, Change change, Answer answer) {
  for (int tries = 1;; ++tries) {
    auto before = find_by_path_id(call);
    if (!before) return before.error();
    if (stale(call, *before)) return precondition_failed(call, *before);
    auto changed = change(*std::move(before));
    if (!changed) return changed.error();
    auto stored = call.parts.store.update_service(changed->service);
    if (stored) {
      const auto published = call.parts.publisher.service_changed();
      AdminResponse response = answer(*stored);
      note_ignored(response, changed->ignored);
      note_published(response, published);
      log_info("service_changed", {{"service", stored->slug}, {"revision", stored->revision}});
      return response;
    }
    const bool raced = stored.error().code == ErrorCode::kConflict && stored.error().field == "revision";
    if (!raced || tries == kMergeTries) return with_not_found_text(stored.error(), kNotFoundText);
  }
}

Error taken(Error error, const Service& service) {
  if (error.code != ErrorCode::kConflict) return error;
  if (error.field == "slug") error.message = "A service with slug \"" + service.slug + "\" exists.";
  if (error.field == "name") error.message = "A service with name \"" + service.name + "\" exists.";
  return error;
}

}  // namespace

Result<AdminResponse> list_services(AdminCall& call) {
  const auto services = call.parts.store.list_services();
  if (!services) return services.error();
  boost::json::array list;
  list.reserve(services->size());
  for (const Service& service : *services) list.push_back(describe(call, service));
  return json_response(200, std::move(list));
}

Result<AdminResponse> create_service(AdminCall& call) {
  const auto object = parse_json_object(call.request.body);
  if (!object) return object.error();
  const auto input = read_new_service(*object, call.parts.settings.rest_total);
  if (!input) return input.error();
  if (auto valid = validate_service(input->service, call.parts.settings.validation); !valid) return valid.error();
  const auto stored = call.parts.store.add_service(input->service);
  if (!stored) return taken(stored.error(), input->service);
  const auto published = call.parts.publisher.service_changed();
  AdminResponse response = service_response(call, 201, *stored);
  response.headers.emplace_back("Location", "/admin/proxy-configs/" + std::to_string(stored->id.value));
  note_ignored(response, input->ignored);
  note_published(response, published);
  log_info("service_added", {{"service", stored->slug}});
  return response;
}

// Takes a slug too; a text that is neither gets the original's answer.
Result<AdminResponse> get_service(AdminCall& call) {
  if (path_id(call, kBadIdText)) {
    const auto service = find_by_path_id(call);
    if (!service) return service.error();
    return service_response(call, 200, *service);
  }
  const auto services = call.parts.store.list_services();
  if (!services) return services.error();
  for (const Service& service : *services) {
    if (service.slug == call.ids.front()) return service_response(call, 200, service);
  }
  return Error{ErrorCode::kBadRequest, kBadIdText};
}

Result<AdminResponse> change_service(AdminCall& call) {
  const auto object = parse_json_object(call.request.body);
  if (!object) return object.error();
  Service attempted;
  auto merged = merge(
      call,
      [&](Service before) -> Result<ServiceInput> {
        auto input = read_service_change(*object, std::move(before), call.parts.settings.rest_total);
        if (!input) return input;
        attempted = input->service;
        if (auto valid = validate_service(input->service, call.parts.settings.validation); !valid) return valid.error();
        return input;
      },
      [&](const Service& stored) { return service_response(call, 200, stored); });
  if (!merged) return taken(merged.error(), attempted);
  return merged;
}

// Not validated again: a service that was valid under other rules can still be switched off.
Result<AdminResponse> switch_service(AdminCall& call) {
  const auto object = parse_json_object(call.request.body);
  if (!object) return object.error();
  MemberReader in(*object);
  bool active = false;
  if (!in.has("is_active")) in.refuse("is_active", "is required");
  in.flag("is_active", active);
  if (auto read = in.result(); !read) return read.error();
  return merge(
      call,
      [&](Service before) -> Result<ServiceInput> {
        before.active = active;
        return ServiceInput{std::move(before), in.unknown()};
      },
      [](const Service&) {
        return json_response(200, {{"message", "Status updated successfully"}});
      });
}

Result<AdminResponse> delete_service(AdminCall& call) {
  const auto service = find_by_path_id(call);
  if (!service) return service.error();
  if (stale(call, *service)) return precondition_failed(call, *service);
  if (auto deleted = call.parts.store.delete_service(service->id); !deleted) {
    return with_not_found_text(deleted.error(), kNotFoundText);
  }
  const auto published = call.parts.publisher.service_changed();
  AdminResponse response = json_response(200, {{"message", "Config deleted successfully"}});
  note_published(response, published);
  log_info("service_deleted", {{"service", service->slug}});
  return response;
}

}  // namespace akr
