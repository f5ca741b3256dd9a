// "Which key would this request get, and why not the others?": asked of the pool, answered without a request.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "admin/handlers.hpp"
#include "base/member_reader.hpp"
#include "base/strings.hpp"
#include "base/time_text.hpp"
#include "core/keys/home_rank.hpp"
#include "core/keys/select_preview.hpp"
#include "core/service/client_format.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostExplained = 100;
constexpr std::size_t kMostTried = 10;  // as many attempts as a request may have
constexpr std::size_t kLongestModel = 256;
constexpr std::size_t kLongestSession = 1024;
constexpr std::int64_t kMostTokens = 1'000'000'000;

// The hypothetical request.
struct Question {
  Service service;
  std::string model;
  std::uint64_t affinity = 0;
  std::uint64_t home = 0;
  std::uint32_t tokens = 0;
  std::vector<KeyId> tried;
};

Result<Service> find_service(AdminCall& call, MemberReader& in) {
  std::int64_t id = 0;
  std::string slug;
  in.whole("config_id", id, 1, INT64_C(0x7fff'ffff), std::int64_t{0});
  in.text("slug", slug, "");
  if (const auto read = in.result(); !read) return read.error();
  if ((id == 0) == slug.empty())
    return Error{.code = ErrorCode::kInvalid, .message = "one of config_id and slug is required", .field = "config_id"};
  if (id != 0) {
    auto found = call.parts.store.find_service(ServiceId{id});
    if (!found) return with_not_found_text(found.error(), kNoServiceInBulk);
    return found;
  }
  auto all = call.parts.store.list_services();
  if (!all) return all.error();
  for (Service& service : *all) {
    if (service.slug == slug) return std::move(service);
  }
  return Error{ErrorCode::kNotFound, kNoServiceInBulk};
}

void read_tried(MemberReader& in, std::vector<KeyId>& tried) {
  const auto* list = in.any("tried");
  if (list == nullptr || list->is_null()) return;
  const bool fits = list->is_array() && list->get_array().size() <= kMostTried;
  if (!fits ||
      !std::all_of(list->get_array().begin(), list->get_array().end(), [](const auto& id) { return id.is_int64(); })) {
    return in.refuse("tried", "must be a list of up to 10 key ids");
  }
  for (const auto& id : list->get_array()) tried.push_back(KeyId{id.get_int64()});
}

// Who asks, known here by the access key's fingerprint only: a session counts together with it, and so does what is
// made.
void read_client(AdminCall& call, MemberReader& in, std::uint64_t& affinity, std::uint64_t& home) {
  std::string session, access_key;
  bool creates = false;
  in.text("session", session, "");
  in.text("access_key", access_key, "");
  in.flag("creates", creates, false);
  if (creates && access_key.empty())
    return in.refuse("access_key", "is required with creates: the access key's fingerprint");
  if (creates) home = stable_hash(access_key);
  if (session.empty() && (creates || access_key.empty())) return;
  const auto hash = call.parts.settings.data_plane.hash_affinity;
  if (hash == nullptr) return in.refuse("session", "cannot be simulated here");
  if (session.size() > kLongestSession) return in.refuse("session", "has at most 1024 bytes");
  if (session.empty()) return in.refuse("session", "or creates is required with access_key");
  if (access_key.empty()) return in.refuse("access_key", "is required with session: the access key's fingerprint");
  affinity = hash(access_key, session);
}

Result<Question> read_question(AdminCall& call) {
  const auto object = parse_json_object(call.request.body);
  if (!object) return object.error();
  MemberReader in(*object);
  Question question;
  in.text("model", question.model, "");
  in.whole("tokens", question.tokens, 0, kMostTokens, 0U);
  read_tried(in, question.tried);
  read_client(call, in, question.affinity, question.home);
  if (question.model.size() > kLongestModel) in.refuse("model", "has at most 256 bytes");
  in.has("config_id");
  in.has("slug");
  // A misspelt member would be answered as if it had been believed.
  in.refuse_unknown("is not known here; config_id, slug, model, session, access_key, creates, tokens and tried are");
  if (const auto read = in.result(); !read) return read.error();
  auto service = find_service(call, in);
  if (!service) return service.error();
  question.service = *std::move(service);
  if (question.service.pinning == Pinning::kSpread) question.home = 0;
  if (question.service.type == ServiceType::kGeneric && !question.model.empty())
    return Error{
        .code = ErrorCode::kInvalid, .message = "must be absent: a GENERIC service has no models", .field = "model"};
  return question;
}

// As the header X-Rotator-Trace counts them.
boost::json::object write_skipped(const SelectTrace& trace) {
  boost::json::object out;
  for (std::size_t i = 0; i < kStandings; ++i) {
    const auto standing = static_cast<KeyStanding>(i);
    const bool offered = standing == KeyStanding::kUsable || standing == KeyStanding::kTrial;
    if (trace.standings[i] > 0 && !offered) out[to_string(standing)] = trace.standings[i];
  }
  if (trace.tried > 0) out["tried"] = trace.tried;
  if (trace.model_cooling > 0) out["model_cooling"] = trace.model_cooling;
  if (trace.too_few_tokens > 0) out["too_few_tokens"] = trace.too_few_tokens;
  return out;
}

boost::json::object write_outlook(const UpstreamKey& key, const KeyOutlook& outlook, const Moment& moment) {
  boost::json::object out;
  out["id"] = key.id.value;
  out["key_value"] = mask_key(key.secret);
  if (!key.secret.empty()) out["fingerprint"] = fingerprint(key.secret.expose());
  if (!key.note.empty()) out["note"] = key.note;
  out["tier"] = key.priority;
  out["why"] = outlook.why;
  if (!outlook.reason.empty()) out["reason"] = outlook.reason;
  if (outlook.until && *outlook.until > moment.now) {
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*outlook.until - moment.now);
    out["until"] = format_rfc3339(moment.wall + wait);
  }
  if (!outlook.limit.empty()) out["limit"] = outlook.limit;
  if (outlook.share) out["share"] = *outlook.share;
  return out;
}

boost::json::array write_outlooks(AdminCall& call, const SelectPreview& preview, const Moment& moment) {
  boost::json::array out;
  for (const KeyOutlook& each : preview.keys) {
    // Deleted since the pool was made: nothing to tell.
    if (const auto key = call.parts.store.find_key(each.key)) out.push_back(write_outlook(*key, each, moment));
  }
  return out;
}

boost::json::object write_error(AdminCall& call, const Error& error, const Service& service) {
  boost::json::object out = {{"code", to_string(error.code)}, {"message", error.message}};
  if (const auto status_of = call.parts.settings.data_plane.status_of) out["status"] = status_of(error.code);
  if (error.retry_after > 0) out["retry_after"] = error.retry_after;
  if (error.code == ErrorCode::kAllKeysCooling && service.wait_for_key.count() > 0)
    out["may_wait_ms"] = service.wait_for_key.count();
  return out;
}

// Services that the data plane does not have: switched off, or not fit to be routed.
std::optional<Error> not_routed(AdminCall& call, const Service& service) {
  const auto left_out = call.parts.publisher.status().left_out;
  const bool unfit = std::any_of(left_out.begin(), left_out.end(),
                                 [&](const std::string& each) { return each.starts_with(service.slug + ": "); });
  if (service.active && !unfit) return std::nullopt;
  return Error{ErrorCode::kServiceNotFound,
               service.active ? "The service cannot be routed; the log says why." : "The service is inactive."};
}

// What one service's pool would do.
boost::json::object look(AdminCall& call, const Question& question, const Service& service, KeyPool& pool) {
  const Moment moment = moment_of(call);
  const SelectPreview preview = pool.preview({.tried = question.tried,
                                              .model = question.model,
                                              .affinity = question.affinity,
                                              .home = question.home,
                                              .tokens = question.tokens},
                                             kMostExplained, moment.now);
  const SelectTrace& trace = preview.trace;
  boost::json::object body = {{"config_id", service.id.value}, {"slug", service.slug}, {"policy", preview.policy}};
  const std::optional<Error> unrouted = not_routed(call, service);
  const std::optional<Error> error = unrouted ? unrouted : preview.error;
  body["key"] = nullptr;
  if (error) {
    body["error"] = write_error(call, *error, service);
  } else if (const auto key = call.parts.store.find_key(trace.key)) {
    body["key"] = key_json(call, *key);
    body["tier"] = trace.tier;
    body["trial"] = trace.trial;
    body["affinity"] = trace.affinity;
    if (trace.home) body["home"] = true;
    body["certain"] = preview.certain;
  }
  if (trace.suspected) body["suspected"] = true;
  body["skipped"] = write_skipped(trace);
  body["keys_total"] = preview.keys_total;
  boost::json::array keys = write_outlooks(call, preview, moment);
  for (auto& key : keys) {
    if (unrouted && key.at("why") == "taken") key.as_object()["why"] = "usable";
  }
  body["keys"] = std::move(keys);
  return body;
}

// A service without a usable key hands the request to its fallbacks, in their order; each has keys that are untried.
void ask_fallbacks(AdminCall& call, const Question& question, boost::json::object& body) {
  if (!body.contains("error") || not_routed(call, question.service)) return;
  Question fresh = question;
  fresh.tried.clear();
  boost::json::array asked;
  for (const ServiceId id : question.service.fallbacks) {
    const auto fallback = call.parts.store.find_service(id);
    const auto pool = call.parts.publisher.pool(id);
    if (!fallback || !pool || not_routed(call, *fallback)) continue;
    if (!same_client_format(question.service, *fallback, call.parts.settings.validation.formats)) continue;
    boost::json::object answer = look(call, fresh, *fallback, *pool);
    const bool serves = !answer.at("key").is_null();
    if (serves) {
      body["served_by"] = fallback->slug;
      body["key"] = answer.at("key");
      body.erase("error");
    }
    asked.push_back(std::move(answer));
    if (serves) break;
  }
  if (asked.empty()) return;
  if (auto* const error = body.if_contains("error")) error->as_object().erase("may_wait_ms");
  body["fallbacks"] = std::move(asked);
}

}  // namespace

// Changes nothing: no turn, no trial and no limit is used up.
Result<AdminResponse> simulate(AdminCall& call) {
  const auto question = read_question(call);
  if (!question) return question.error();
  const auto pool = call.parts.publisher.pool(question->service.id);
  if (!pool) return Error{ErrorCode::kStoreUnavailable, "The service's keys are not loaded yet."};
  boost::json::object body = look(call, *question, question->service, *pool);
  ask_fallbacks(call, *question, body);
  return json_response(200, std::move(body));
}

}  // namespace akr
