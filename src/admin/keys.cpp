#include <optional>
#include <set>

#include "admin/handlers.hpp"
#include "admin/member_reader.hpp"
#include "admin/problem.hpp"
#include "admin/wire.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "core/validate.hpp"

namespace akr {
namespace {

constexpr const char* kNoService = "Config not found";
constexpr const char* kNoServiceInBulk = "ProxyConfig not found";  // the original has two texts for the same
constexpr const char* kNoKey = "API key not found";

Moment moment_of(const AdminCall& call) { return {call.parts.clock.now(), call.parts.clock.wall()}; }

boost::json::object key_json(AdminCall& call, const UpstreamKey& key) {
  const auto pool = call.parts.publisher.pool(key.service);
  const Moment moment = moment_of(call);
  return write_key(key, pool ? pool->status(key.id, moment.now) : std::nullopt, moment);
}

Result<ServiceId> service_of(const AdminCall& call, const char* bad_id, const char* not_found) {
  const auto id = path_id(call, bad_id);
  if (!id) return id.error();
  const auto found = call.parts.store.find_service(ServiceId{*id});
  if (!found) return with_not_found_text(found.error(), not_found);
  return found->id;
}

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

// The ids in {"ids": [...]}; nullopt: all of the service, for {} and an empty body.
Result<std::optional<std::vector<KeyId>>> ids_wanted(const std::string& body) {
  std::optional<std::vector<KeyId>> ids;
  if (body.empty()) return ids;
  const auto object = parse_json_object(body);
  if (!object) return object.error();
  MemberReader in(*object);
  if (const auto* list = in.any("ids")) {
    ids.emplace();
    if (!list->is_array()) in.refuse("ids", "must be a list of key ids");
    for (const auto& id : list->is_array() ? list->get_array() : boost::json::array()) {
      if (id.is_int64()) {
        ids->push_back(KeyId{id.get_int64()});
      } else {
        in.refuse("ids", "must be a list of key ids");
      }
    }
  }
  // Without a list everything is meant: a misspelt name must not mean that.
  for (const std::string& name : in.unknown()) in.refuse(name, "is not known here; ids is");
  if (const auto read = in.result(); !read) return read.error();
  return ids;
}

// A key that was pasted may carry the spaces and the line end around it.
Secret trimmed(const boost::json::string& text) { return Secret(trim(std::string_view(text.data(), text.size()))); }

// The outcome of an import, filled while the list is read.
struct Import {
  std::vector<NewKey> keys;
  boost::json::array failed;       // {index, code}
  boost::json::array failed_keys;  // masked
};

void sort_in(Import& import, const boost::json::value& given, std::size_t index) {
  const char* code = nullptr;
  Secret key;
  if (given.is_string()) {
    key = trimmed(given.get_string());
    if (key.empty()) return;  // a blank line is no key
    if (!validate_key(key)) code = "invalid_value";
  } else {
    code = "not_a_string";
  }
  if (code == nullptr) {
    import.keys.push_back({std::move(key), true});
    return;
  }
  import.failed.push_back({{"index", index}, {"code", code}});
  import.failed_keys.emplace_back(mask_key(key));
}

boost::json::object import_report(const Import& import, const std::vector<AddedKey>& added) {
  std::size_t skipped = 0;
  for (const AddedKey& key : added) skipped += key.duplicate;
  boost::json::object report{
      {"success_count", added.size() - skipped}, {"failed_count", import.failed.size()}, {"skipped_count", skipped}};
  if (import.failed.empty()) return report;
  report["failed_keys"] = import.failed_keys;
  report["failed"] = import.failed;
  return report;
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
    body += boost::json::serialize(write_key(key, status, moment));
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
  UpstreamKey stored;
  if (!in.has("key_value")) in.refuse("key_value", "is required");
  in.text("key_value", value);
  in.flag("is_active", stored.enabled, true);
  read_key_members(in, stored);
  if (auto read = in.result(); !read) return read.error();
  NewKey key{Secret(trim(value)), stored.enabled, stored.note,  stored.weight,
             stored.priority,     stored.group,   stored.limits};
  wipe(value);
  if (auto valid = validate_key(key.secret); !valid) return valid.error();

  const auto added = call.parts.store.add_keys(*service, {&key, 1});
  if (!added) return with_not_found_text(added.error(), kNoService);
  if (added->front().duplicate) {
    Problem problem = to_problem({ErrorCode::kConflict, "This key is in the pool already.", "key_value"});
    problem.code = "duplicate_key";
    problem.params["id"] = added->front().id.value;
    return problem_response(problem, call.request);
  }
  const auto published = call.parts.publisher.keys_changed(*service);
  stored.id = added->front().id;
  stored.service = *service;
  stored.secret = std::move(key.secret);
  AdminResponse response = json_response(201, key_json(call, stored));
  note_ignored(response, in.unknown());
  note_published(response, published);
  return response;
}

Result<AdminResponse> import_service_keys(AdminCall& call) {
  const auto service = service_of(call, "Invalid config ID", kNoServiceInBulk);
  if (!service) return service.error();
  const auto object = parse_json_object(call.request.body);
  if (!object) return object.error();
  const auto* list = object->if_contains("keys");
  if (list == nullptr || !list->is_array()) {
    return Error{.code = ErrorCode::kInvalid, .message = "keys must be an array of strings", .field = "keys"};
  }
  Import import;
  for (std::size_t i = 0; i < list->get_array().size(); ++i) sort_in(import, list->get_array()[i], i);
  const auto added = call.parts.store.add_keys(*service, import.keys);
  if (!added) return with_not_found_text(added.error(), kNoServiceInBulk);
  const auto published = call.parts.publisher.keys_changed(*service);
  AdminResponse response = json_response(200, import_report(import, *added));
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

// By a person: usable at once, whatever the provider said.  The pool alone knows states; the store gets them later.
Result<AdminResponse> reset_key(AdminCall& call) {
  const auto id = path_id(call, "Invalid key ID");
  if (!id) return id.error();
  if (!call.request.body.empty()) {  // nothing is asked for; what is sent must be JSON all the same
    if (const auto object = parse_json_object(call.request.body); !object) return object.error();
  }
  const auto key = call.parts.store.find_key(KeyId{*id});
  if (!key) return with_not_found_text(key.error(), kNoKey);
  if (const auto pool = call.parts.publisher.pool(key->service)) pool->reset({&key->id, 1}, call.parts.clock.now());
  log_info("key_reset", {{"service_id", key->service.value}, {"key_id", *id}});
  boost::json::object body = key_json(call, *key);
  body["message"] = "API key reset successfully";
  return json_response(200, std::move(body));
}

Result<AdminResponse> reset_service_keys(AdminCall& call) {
  const auto service = service_of(call, "Invalid config ID", kNoServiceInBulk);
  if (!service) return service.error();
  const auto ids = ids_wanted(call.request.body);
  if (!ids) return ids.error();
  const auto pool = call.parts.publisher.pool(*service);
  if (!pool) return Error{ErrorCode::kStoreUnavailable, "The service's keys are not loaded yet."};
  const TimePoint now = call.parts.clock.now();
  std::size_t count = 0;
  boost::json::array unknown;
  if (*ids) {
    std::vector<KeyId> present;
    for (const KeyId id : **ids) {
      if (pool->status(id, now)) {
        present.push_back(id);
      } else {
        unknown.emplace_back(id.value);
      }
    }
    pool->reset(present, now);
    count = present.size();
  } else {
    pool->reset_all(now);
    count = pool->counts(now).total;
  }
  log_info("keys_reset", {{"service_id", service->value}, {"count", count}});
  return json_response(200, {{"reset_count", count}, {"not_found", std::move(unknown)}});
}

}  // namespace akr
