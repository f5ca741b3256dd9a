#include <algorithm>

#include "admin/handlers.hpp"
#include "admin/problem.hpp"
#include "admin/wire.hpp"
#include "base/log.hpp"
#include "base/member_reader.hpp"
#include "base/time_text.hpp"
#include "core/outcome/failure_rules.hpp"
#include "core/service/client_format.hpp"
#include "core/service/key_in_path.hpp"

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
  const auto pool = call.parts.publisher.pool(service.id);
  if (const OutageStatus outage = pool ? pool->outage() : OutageStatus{}; outage.suspected) {
    const auto ago = std::chrono::duration_cast<std::chrono::milliseconds>(call.parts.clock.now() - outage.since);
    out["outage"] = {{"reason", outage.reason}, {"since", format_rfc3339(call.parts.clock.wall() - ago)}};
  }
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
  Problem problem = to_problem({ErrorCode::kPreconditionFailed, "The service was changed since it was read."});
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

// Who wrote the one URL, and not the list whose first it is, is told about what was written.
Result<void> validate(AdminCall& call, const Service& service, const boost::json::object& given) {
  const ValidationPolicy& policy = call.parts.settings.validation;
  auto valid = validate_service(service, policy);
  // Not what is stored already: an unrelated change must be possible for lists from before a limit.
  if (valid && given.contains("failure_rules")) {
    if (auto rules = FailureRules::compile(service.failure_rules, policy.failure_rules); !rules) return rules.error();
  }
  if (valid || valid.error().field != "upstreams[0].url" || given.contains("upstreams")) return valid;
  Error error = valid.error();
  error.field = url_member(service.type);
  return error;
}

Error unfit_fallback(std::size_t index, std::string message) {
  return {
      .code = ErrorCode::kInvalid, .message = std::move(message), .field = "fallbacks[" + std::to_string(index) + "]"};
}

std::string who(const Service& service, const KnownFormats& known) {
  if (service.type == ServiceType::kGeneric) return "a GENERIC service";
  return "an LLM service whose clients speak " + std::string(client_format(service, known));
}

// What validate_service() cannot know: that they exist, and that our clients would understand them.  `before`: what is
// stored; one that was deleted since may be sent back as it was shown, and an unrelated change asks for nothing.
Result<void> check_fallbacks(AdminCall& call, const Service& wanted, const Service* before) {
  const KnownFormats& formats = call.parts.settings.validation.formats;
  const std::vector<ServiceId> known = before != nullptr ? before->fallbacks : std::vector<ServiceId>();
  if (before != nullptr && known == wanted.fallbacks && same_client_format(*before, wanted, formats)) return {};
  for (std::size_t i = 0; i < wanted.fallbacks.size(); ++i) {
    const ServiceId id = wanted.fallbacks[i];
    const auto found = call.parts.store.find_service(id);
    if (!found && found.error().code != ErrorCode::kNotFound) return found.error();
    if (!found && std::find(known.begin(), known.end(), id) != known.end()) continue;
    if (!found) return unfit_fallback(i, "there is no service " + std::to_string(id.value));
    if (same_client_format(wanted, *found, formats)) continue;
    return unfit_fallback(i, "service '" + found->slug + "' is " + who(*found, formats) + "; it cannot stand in for " +
                                 who(wanted, formats));
  }
  return {};
}

// A key that was stored for another place may not fit into a path.
Result<void> check_stored_keys(AdminCall& call, const Service& wanted, const Service& before) {
  const KeyInPath place(wanted);
  if (place == KeyInPath(before)) return {};
  const auto keys = call.parts.store.list_keys(wanted.id);
  if (!keys) return keys.error();
  const auto unfit = std::ranges::find_if(
      *keys, [&](const UpstreamKey& key) { return key.readable && !place.takes(key.secret.expose()); });
  if (unfit == keys->end()) return {};
  return Error{.code = ErrorCode::kInvalid,
               .message = "key " + std::to_string(unfit->id.value) +
                          " of this service cannot stand in the URL's path: the path would leave the service's base; "
                          "delete it first",
               .field = "api_key_location"};
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
  if (auto valid = validate(call, input->service, *object); !valid) return valid.error();
  if (auto fit = check_fallbacks(call, input->service, nullptr); !fit) return fit.error();
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
      [&](const Service& before) -> Result<ServiceInput> {
        auto input = read_service_change(*object, before, call.parts.settings.rest_total);
        if (!input) return input;
        attempted = input->service;
        if (auto valid = validate(call, input->service, *object); !valid) return valid.error();
        if (auto fit = check_fallbacks(call, input->service, &before); !fit) return fit.error();
        if (auto fit = check_stored_keys(call, input->service, before); !fit) return fit.error();
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
