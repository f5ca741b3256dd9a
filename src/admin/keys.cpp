#include <optional>
#include <set>

#include "admin/handlers.hpp"
#include "admin/key_import.hpp"
#include "admin/problem.hpp"
#include "admin/wire.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"
#include "base/member_reader.hpp"
#include "base/pasted_key.hpp"
#include "base/strings.hpp"
#include "core/service/key_in_path.hpp"
#include "core/service/validate.hpp"

namespace akr {
namespace {

constexpr const char* kNoService = "Config not found";

// ?state=cooling,invalid, also repeated.  Empty: no filter.
Result<std::set<KeyState>> states_wanted(std::string_view query) {
  std::set<KeyState> wanted;
  for (const std::string_view parameter : split(query, '&')) {
    if (!parameter.starts_with("state=")) continue;
    const std::string list = percent_decode(parameter.substr(6)).value_or("?");
    for (const std::string_view name : split(list, ',')) {
      bool known = false;
      for (const KeyState state : {KeyState::kActive, KeyState::kCooling, KeyState::kExhausted, KeyState::kInvalid}) {
        if (to_string(state) != name) continue;
        wanted.insert(state);
        known = true;
      }
      if (!known) return Error{ErrorCode::kBadRequest, "state must be among active, cooling, exhausted, invalid"};
    }
  }
  return wanted;
}

Result<KeyInPath> place_of_keys(AdminCall& call, ServiceId id) {
  const auto service = call.parts.store.find_service(id);
  if (!service) return service.error();
  return KeyInPath(*service);
}

}  // namespace

Result<AdminResponse> list_service_keys(AdminCall& call) {
  const auto service = service_of(call, "Invalid ID", kNoService);
  if (!service) return service.error();
  const auto wanted = states_wanted(call.request.query);
  if (!wanted) return wanted.error();
  const auto keys = call.parts.store.list_keys(*service);
  if (!keys) return keys.error();
  const auto pool = call.parts.publisher.pool(*service);
  const Moment moment = moment_of(call);
  // One key at a time into the text: a tree of 100,000 objects would take ten times the memory.
  std::string body = "[";
  for (const UpstreamKey& key : *keys) {
    const auto status = pool ? pool->status(key.id, moment.now) : std::nullopt;
    if (!wanted->empty() && !wanted->contains(status ? status->state : KeyState::kActive)) continue;
    if (body.size() > 1) body += ',';
    body += json_text(write_key(key, status, moment));
  }
  AdminResponse response = json_response(200, nullptr);
  response.body = std::move(body += ']');
  return response;
}

Result<AdminResponse> add_service_key(AdminCall& call) {
  const auto service = service_of(call, "Invalid config ID", kNoService);
  if (!service) return service.error();
  const auto object = parse_json_object(call.request.body);
  if (!object) return object.error();
  MemberReader in(*object);
  std::string value;
  NewKey key;
  if (!in.has("key_value")) in.refuse("key_value", "is required");
  in.text("key_value", value);
  in.flag("is_active", key.enabled, true);
  read_key_members(in, key);
  if (auto read = in.result(); !read) return read.error();
  key.secret = Secret(trim_pasted(value));
  wipe(value);
  if (auto valid = validate_key(key); !valid) return valid.error();
  const auto place = place_of_keys(call, *service);
  if (!place) return with_not_found_text(place.error(), kNoService);
  if (auto fits = place->check(key.secret.expose()); !fits) return fits.error();

  const auto added = call.parts.store.add_keys(*service, {&key, 1});
  if (!added) return with_not_found_text(added.error(), kNoService);
  if (added->front().duplicate) {
    Problem problem = to_problem({ErrorCode::kConflict, "This key is in the pool already.", "key_value"});
    problem.code = "duplicate_key";
    problem.params["id"] = added->front().id.value;
    return problem_response(problem, call.request);
  }
  const auto published = call.parts.publisher.keys_added(*service);
  UpstreamKey stored{.id = added->front().id, .service = *service, .secret = key.secret, .enabled = key.enabled};
  read_key_members(in, stored);
  AdminResponse response = json_response(201, key_json(call, stored));
  note_ignored(response, in.unknown());
  note_published(response, published);
  return response;
}

Result<AdminResponse> import_service_keys(AdminCall& call) {
  const auto service = service_of(call, "Invalid config ID", kNoServiceInBulk);
  if (!service) return service.error();
  const auto place = place_of_keys(call, *service);
  if (!place) return with_not_found_text(place.error(), kNoServiceInBulk);
  const auto import = read_key_import(call.request.body, call.parts.settings.most_import_keys, *place);
  if (!import) return import.error();
  const auto added = call.parts.store.add_keys(*service, import->keys);
  if (!added) return with_not_found_text(added.error(), kNoServiceInBulk);
  const auto published = call.parts.publisher.keys_added(*service);
  AdminResponse response = json_response(200, import_report(*import, *added));
  note_published(response, published);
  log_info("keys_imported", {{"service_id", service->value}, {"given", added->size()}});
  return response;
}

Result<AdminResponse> clear_service_keys(AdminCall& call) {
  const auto id = path_id(call, "Invalid config ID");
  if (!id) return id.error();
  const auto deleted = call.parts.store.delete_keys(ServiceId{*id});
  if (!deleted) return with_not_found_text(deleted.error(), kNoServiceInBulk);
  const auto published = call.parts.publisher.keys_changed(ServiceId{*id});
  AdminResponse response = json_response(200, {{"deleted_count", *deleted}});
  note_published(response, published);
  log_info("keys_cleared", {{"service_id", *id}, {"deleted", *deleted}});
  return response;
}

Result<AdminResponse> change_key(AdminCall& call) {
  const auto id = path_id(call, "Invalid key ID");
  if (!id) return id.error();
  const auto object = parse_json_object(call.request.body);
  if (!object) return object.error();
  MemberReader in(*object);
  if (!has_key_member(in)) in.refuse("is_active", "is required");
  const auto apply = [&](MemberReader& members, UpstreamKey& key) {
    members.flag("is_active", key.enabled);
    read_key_members(members, key);
    return members.result();
  };
  UpstreamKey nothing;  // what is wrong with the request is wrong for every key: no need to ask the store
  if (auto read = apply(in, nothing); !read) return read.error();
  if (auto valid = validate_key_fields(nothing); !valid) return valid.error();
  const auto key = call.parts.store.edit_key(KeyId{*id}, [&](UpstreamKey& stored) {
    MemberReader again(*object);
    return apply(again, stored);
  });
  if (!key) return with_not_found_text(key.error(), kNoKey);
  const auto published = call.parts.publisher.keys_changed(key->service);
  boost::json::object body = key_json(call, *key);
  body["message"] = "API key status updated successfully";
  AdminResponse response = json_response(200, std::move(body));
  note_ignored(response, in.unknown());
  note_published(response, published);
  return response;
}

Result<AdminResponse> delete_key(AdminCall& call) {
  const auto id = path_id(call, "Invalid key ID");
  if (!id) return id.error();
  const auto service = call.parts.store.delete_key(KeyId{*id});
  if (!service) return with_not_found_text(service.error(), kNoKey);
  const auto published = call.parts.publisher.keys_changed(*service);
  AdminResponse response = json_response(200, {{"message", "API key deleted successfully"}});
  note_published(response, published);
  return response;
}

}  // namespace akr
