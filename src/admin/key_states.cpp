// What the machine found out about keys, and what people do about it: resets and validations.
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "admin/handlers.hpp"
#include "admin/problem.hpp"
#include "base/log.hpp"
#include "base/member_reader.hpp"
#include "jobs/key_prober.hpp"

namespace akr {
namespace {

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
  in.refuse_unknown("is not known here; ids is");
  if (const auto read = in.result(); !read) return read.error();
  return ids;
}

// Nothing is asked for; what is sent must be JSON all the same.
Result<void> check_unused_body(const std::string& body) {
  if (body.empty()) return {};
  const auto object = parse_json_object(body);
  if (!object) return object.error();
  return {};
}

// The key that the path names; nothing else is asked.
Result<UpstreamKey> key_in_path(AdminCall& call) {
  const auto id = path_id(call, "Invalid key ID");
  if (!id) return id.error();
  if (auto unused = check_unused_body(call.request.body); !unused) return unused.error();
  auto key = call.parts.store.find_key(KeyId{*id});
  if (!key) return with_not_found_text(key.error(), kNoKey);
  return key;
}

// What is needed when the provider has answered: the pool is asked then, the store was before.
struct Validation {
  AdminRequest asked;  // without its body
  UpstreamKey key;
  std::shared_ptr<KeyPool> pool;
  const Clock& clock;
  net::BudgetShare place;
  Result<ProbeResult> result = ProbeResult{};
};

AdminResponse validated(const Validation& validation) {
  if (!validation.result) return problem_response(to_problem(validation.result.error()), validation.asked);
  const Moment moment{validation.clock.now(), validation.clock.wall()};
  const auto& pool = validation.pool;
  boost::json::object body =
      write_key(validation.key, pool ? pool->status(validation.key.id, moment.now) : std::nullopt, moment);
  body["validation"] = {{"valid", validation.result->valid},
                        {"status", validation.result->status},
                        {"reason", validation.result->reason},
                        {"took_ms", validation.result->took.count()}};
  return json_response(200, std::move(body));
}

std::shared_ptr<AdminWait> wait_for_provider(AdminCall& call, const UpstreamKey& key, net::BudgetShare place) {
  AdminRequest asked;
  asked.path = call.request.path;
  asked.request_id = call.request.request_id;
  auto validation = std::make_shared<Validation>(
      Validation{std::move(asked), key, call.parts.publisher.pool(key.service), call.parts.clock, std::move(place)});
  auto wait = std::make_shared<AdminWait>();
  wait->start = [validation, prober = call.parts.prober](std::function<void()> done) {
    prober->validate(validation->key.service, validation->key.id,
                     [validation, done = std::move(done)](Result<ProbeResult> result) {
                       validation->result = std::move(result);
                       done();
                     });
  };
  wait->finish = [validation] { return validated(*validation); };
  return wait;
}

Error no_prober() { return {ErrorCode::kUnsupported, "Keys cannot be validated here."}; }

}  // namespace

// By a person: usable at once, whatever the provider said.  The pool alone knows states; the store gets them later.
Result<AdminResponse> reset_key(AdminCall& call) {
  const auto key = key_in_path(call);
  if (!key) return key.error();
  if (const auto pool = call.parts.publisher.pool(key->service)) pool->reset({&key->id, 1}, call.parts.clock.now());
  log_info("key_reset", {{"service_id", key->service.value}, {"key_id", key->id.value}});
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

// Answers when the provider did.
Result<AdminResponse> validate_key_now(AdminCall& call) {
  const auto key = key_in_path(call);
  if (!key) return key.error();
  if (call.parts.prober == nullptr) return no_prober();
  net::BudgetShare place(&call.parts.validations);
  if (!place.grow_to(1)) {
    return Error{.code = ErrorCode::kTooManyRequests,
                 .message = "So many validations (VALIDATIONS_AT_ONCE: " +
                            std::to_string(call.parts.validations.limit()) + ") wait for providers; try again soon.",
                 .retry_after = 2};
  }
  AdminResponse later;
  later.wait = wait_for_provider(call, *key, std::move(place));
  return later;
}

// Answers at once; the list of keys shows what came of it.
Result<AdminResponse> validate_service_keys(AdminCall& call) {
  const auto service = service_of(call, "Invalid config ID", kNoServiceInBulk);
  if (!service) return service.error();
  auto ids = ids_wanted(call.request.body);
  if (!ids) return ids.error();
  if (call.parts.prober == nullptr) return no_prober();
  if (!*ids) {
    const auto keys = call.parts.store.list_keys(*service);
    if (!keys) return keys.error();
    ids->emplace();
    for (const UpstreamKey& key : *keys) (*ids)->push_back(key.id);
  }
  const auto queued = call.parts.prober->enqueue(*service, **ids);
  if (!queued) return queued.error();
  return json_response(202, {{"queued_count", *queued}});
}

}  // namespace akr
