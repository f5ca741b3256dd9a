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
  const auto keys = call.parts.store.list_keys(*service);
  if (!keys) return keys.error();
  const auto pool = call.parts.publisher.pool(*service);
  const Moment moment = moment_of(call);
  // One key at a time into the text: a tree of 100,000 objects would take ten times the memory.
  std::string body = "[";
  for (const UpstreamKey& key : *keys) {
    if (body.size() > 1) body += ',';
    body += boost::json::serialize(write_key(key, pool ? pool->status(key.id, moment.now) : std::nullopt, moment));
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
  if (auto read = in.result(); !read) return read.error();
  key.secret = Secret(trim(value));
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
  const UpstreamKey stored{added->front().id, *service, std::move(key.secret), key.enabled};
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

Result<AdminResponse> switch_key(AdminCall& call) {
  const auto id = path_id(call, "Invalid key ID");
  if (!id) return id.error();
  const auto object = parse_json_object(call.request.body);
  if (!object) return object.error();
  MemberReader in(*object);
  bool enabled = false;
  if (!in.has("is_active")) in.refuse("is_active", "is required");
  in.flag("is_active", enabled);
  if (auto read = in.result(); !read) return read.error();
  const auto key = call.parts.store.set_key_enabled(KeyId{*id}, enabled);
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
