// find_pin(), take_pinned_key(): the request's side.  The answer's side is pin_learner.cpp.
#include "proxy/request/pins.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/json_scan.hpp"
#include "base/pointer_set.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::size_t kLongestModel = 256;
// Per request, so that no body is a pause for the worker's other requests.
constexpr int kMostLookups = 1000;
constexpr int kMostScalars = 20'000;
constexpr std::size_t kPiece = 16 * 1024;  // how much is scanned before the count is looked at

bool only_looks(const RequestContext& ctx) { return ctx.client.head().method() == "GET" || ctx.head_method; }

Error not_available(std::string message) {
  return {.code = ErrorCode::kPinnedKeyUnavailable, .message = std::move(message)};
}

// To the client it is as if it were not there.
Error not_theirs() {
  return {ErrorCode::kNotFound, "nothing of a name that the request gives was made with this access key"};
}

const ResourceMap* map_of(const RequestContext& ctx) {
  const Provider* const provider = ctx.asked().provider;
  return provider != nullptr ? provider->resources : nullptr;
}

// May the answer name something that the request makes?
bool may_make(const RequestContext& ctx) {
  return (ctx.makes_resources != nullptr || !ctx.asked().config.affinity_rules.empty()) && !only_looks(ctx);
}

// A body that is looked through for ids is not read a second time for its model.
bool names_model_in_body(const RequestContext& ctx) {
  return ctx.asked().provider != nullptr && ctx.asked().provider->model.in_body;
}

// Looks every id up that a request names, and notes its model on the way.
class PinSearch final : public JsonScan::Visitor {
 public:
  PinSearch(RequestContext& ctx, const PinSettings& pins)
      : ctx_(ctx),
        service_(ctx.asked().config),
        map_(map_of(ctx)),
        model_in_body_(names_model_in_body(ctx)),
        sharing_(service_.share_resources ? PinTable::Sharing::kYes : PinTable::Sharing::kNo),
        notes_named_(may_make(ctx)),
        table_(*pins.table),
        now_(pins.clock->wall()) {
    for (const AffinityRule& rule : service_.affinity_rules) {
      for (const std::string& pointer : rule.used) used_.add(pointer);
    }
  }

  void look_up(std::string_view id) {
    if (id.empty() || conflict_ || lookups_++ >= kMostLookups) return;
    if (notes_named_) ctx_.named.push_back(std::hash<std::string_view>()(id));
    const auto [key, mine, foreign] = table_.look_up(service_.id, ctx_.grant.fingerprint, id, sharing_, now_);
    foreign_ = foreign_ || foreign;
    ctx_.names_own = ctx_.names_own || mine;
    if (!key || ctx_.pinned == key) return;
    if (was_deleted(*key)) {
      // Told once: from now on the id is like one that was never seen, and may be learnt anew.
      table_.forget(service_.id, ctx_.grant.fingerprint, id, now_);
      deleted_ = true;
      return;
    }
    conflict_ = ctx_.pinned.has_value();
    if (!conflict_) ctx_.pinned = key;
  }
  void look_into(std::string_view json) {
    const auto begin = json.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos || (json[begin] != '{' && json[begin] != '[')) return;
    JsonScan scan;
    while (!json.empty() && scalars_ < kMostScalars && scan.feed(json.substr(0, kPiece), *this)) {
      json.remove_prefix(std::min(kPiece, json.size()));
    }
  }
  void look_up_encoded(std::string_view id) {
    if (const auto decoded = percent_decode(id)) look_up(*decoded);
  }
  void look_into_fields() {
    if (map_ == nullptr) return;
    for (const std::string_view name : map_->request_fields) look_up(ctx_.client.head().find(name));
  }
  // Any value may look like an id, as in page=2: where they do not agree, they are none.
  void look_into_query(std::string_view query) {
    for (const std::string& id : resources_in_query(map_, query)) look_up(id);
    if (!conflict_) return;
    conflict_ = false;
    ctx_.pinned.reset();
  }
  bool conflict() const { return conflict_; }
  bool deleted() const { return deleted_; }
  bool foreign() const { return foreign_; }

 private:
  enum class Reference : std::uint8_t { kNone, kId, kType };

  // What the elements of one array have in common.
  struct Place {
    std::uint64_t at = 0;
    bool id = false;  // strings are ids
    Reference reference = Reference::kNone;
    bool used = false;   // a `used` pointer may lead here
    bool model = false;  // the request's model
  };

  // Of a service that is not asked any more nothing is known: its key may come back with it.
  bool was_deleted(const PinnedKey& pinned) const {
    if (pinned.service == service_.id) return !ctx_.asked().keys->has(pinned.key);
    return std::ranges::any_of(ctx_.asked().fallbacks, [&](const RoutedService* fallback) {
      return fallback->config.id == pinned.service && !fallback->keys->has(pinned.key);
    });
  }

  void scalar(const JsonScan& at, std::string_view text) override {
    if (scalars_ >= kMostScalars || (at.at_number() && used_.empty())) return;
    if (at.place() != place_.at) {
      ++scalars_;
      enter(at);
    } else if (place_.id || place_.used || place_.reference != Reference::kNone) {
      ++scalars_;
    }
    if (place_.used && used_.fits(at.pointer())) look_up(text);
    if (at.at_number()) return;
    if (place_.model && ctx_.model.empty()) ctx_.model = text.size() <= kLongestModel ? text : std::string_view();
    if (place_.id) look_up(resource_id(*map_, text));
    if (place_.reference != Reference::kNone) note_reference(at, text);
  }

  void enter(const JsonScan& at) {
    const std::string_view pointer = at.pointer();
    place_ = {.at = at.place(),
              .used = used_.reaches_below(pointer.substr(0, pointer.rfind('/'))),
              .model = model_in_body_ && pointer == "/model"};
    if (map_ == nullptr) return;
    place_.id = is_id_member(at);
    if (map_->reference_type.empty()) return;
    const std::string_view name = at.member();
    if (name == "id") place_.reference = Reference::kId;
    if (name == "type") place_.reference = Reference::kType;
  }

  bool is_id_member(const JsonScan& at) const {
    const std::string_view name = at.member();
    for (const std::string_view wanted : map_->members) {
      const auto slash = wanted.find('/');
      if (slash == std::string_view::npos ? wanted != name : wanted.substr(slash + 1) != name) continue;
      if (slash != std::string_view::npos && wanted.substr(0, slash) != at.member(1)) continue;
      return !at.inside("metadata");
    }
    return false;
  }

  // {"type":"item_reference","id":...}, whichever comes first.
  void note_reference(const JsonScan& at, std::string_view text) {
    if (object_ != at.objects()) {
      object_ = at.objects();
      is_reference_ = false;
      id_.clear();
    }
    if (place_.reference == Reference::kId) id_ = text;
    if (place_.reference == Reference::kType) is_reference_ = text == map_->reference_type;
    if (is_reference_) look_up(id_);
  }

  RequestContext& ctx_;
  const Service& service_;
  const ResourceMap* const map_;
  const bool model_in_body_;
  const PinTable::Sharing sharing_;
  const bool notes_named_;
  PinTable& table_;
  const WallTime now_;
  PointerSet used_;
  Place place_;
  int scalars_ = 0;
  int lookups_ = 0;
  bool conflict_ = false;
  bool deleted_ = false;
  bool foreign_ = false;
  std::uint64_t object_ = 0;
  bool is_reference_ = false;
  std::string id_;
};

}  // namespace

Result<void> find_pin(RequestContext& ctx, const PreparedRequest& request, const PinSettings& pins) {
  if (pins.table == nullptr) return {};
  const std::string_view path = ctx.path_behind_slug();
  if (const ResourceMap* const map = map_of(ctx)) {
    ctx.makes_resources = find_resource_rule(*map, ctx.client.head().method(), path, request.text());
  }
  if (!pins.table->any(ctx.asked().config.id) && !may_make(ctx)) return {};
  PinSearch search(ctx, pins);
  std::string_view query = ctx.client.head().target();
  take_part(query, '?');
  if (map_of(ctx) != nullptr) search.look_up_encoded(upload_in_query(query));
  if (search.foreign()) return not_theirs();
  if (ctx.pinned) return {};  // the body is a file's bytes, whatever they look like
  search.look_into_fields();
  for (const std::string& id : resources_in_path(map_of(ctx), path)) search.look_up(id);
  search.look_into(request.text());
  if (search.foreign()) return not_theirs();
  if (search.deleted()) {
    return not_available(
        "what the request names was made with an upstream key that was deleted; it must be made again");
  }
  if (!ctx.pinned) search.look_into_query(query);
  if (search.foreign()) return not_theirs();
  if (!search.conflict()) return {};
  return not_available(
      "the request names things that belong to different upstream keys; each of them can only be reached with its own "
      "key");
}

Result<KeyLease> take_pinned_key(const PinnedKey& pinned, const RoutedService& service, const SelectRequest& wanted,
                                 TimePoint now) {
  // A key only ever goes to the upstream of its own service: Fallbacks has gone there.
  if (pinned.service == service.config.id) return service.keys->select_exactly(pinned.key, wanted, now);
  return not_available(
      "what the request names was made by a fallback of this service, which is not asked any more or does not take "
      "this method");
}

void explain_refusal(const Verdict& last, std::optional<Error>& error) {
  if (!error || error->code != ErrorCode::kCredentialsExhausted) return;
  if (last.key == KeyAction::kForbid) {
    error.reset();
    return;
  }
  error->code = ErrorCode::kPinnedKeyUnavailable;
  error->message = "what the request names belongs to one upstream key, and the provider refuses that key: " +
                   std::exchange(error->message, {});
}

}  // namespace akr
