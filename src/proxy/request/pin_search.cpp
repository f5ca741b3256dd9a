#include "proxy/request/pin_search.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/strings.hpp"
#include "llm/resource_names.hpp"

namespace akr {
namespace {

// Per request.  No request names so many things, and each costs half a microsecond.
constexpr int kMostLookups = 100'000;
// Of what one head may name; all of it is looked up in one turn.
constexpr std::size_t kMostInHead = 4096;
constexpr int kFewLookups = 64;       // up to here nothing is remembered of them
constexpr std::size_t kLately = 256;  // values; lists repeat a few
constexpr std::size_t kLongestKept = 256;
constexpr std::size_t kSpelledAtOnce = 32;  // bytes of an odd value whose spellings cost as much as a look-up

bool only_looks(const RequestContext& ctx) { return ctx.client.head().method() == "GET" || ctx.head_method; }

// A body that is looked through for ids is not read a second time for its model.
bool names_model_in_body(const RequestContext& ctx) {
  return ctx.asked().provider != nullptr && ctx.asked().provider->model.in_body;
}

std::string_view query_of(const RequestContext& ctx) {
  const std::string_view target = ctx.client.head().target();
  const auto question = target.find('?');
  return question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
}

}  // namespace

const ResourceMap* resource_map_of(const RequestContext& ctx) {
  const Provider* const provider = ctx.asked().provider;
  return provider != nullptr ? provider->resources : nullptr;
}

bool may_make(const RequestContext& ctx) {
  return (ctx.makes_resources != nullptr || !ctx.asked().config.affinity_rules.empty()) && !only_looks(ctx);
}

PinSearch::PinSearch(RequestContext& ctx, const PinSettings& pins)
    : ctx_(ctx),
      service_(ctx.asked().config),
      map_(resource_map_of(ctx)),
      model_in_body_(names_model_in_body(ctx)),
      sharing_(service_.share_resources ? PinTable::Sharing::kYes : PinTable::Sharing::kNo),
      notes_named_(may_make(ctx)),
      table_(*pins.table),
      now_(pins.clock->wall()) {
  for (const AffinityRule& rule : service_.affinity_rules) {
    for (const std::string& pointer : rule.used) used_.add(pointer);
  }
}

// ---- places in the head

void PinSearch::look_into_path() {
  in_path_ = true;
  look_up_all(resources_in_path(map_, ctx_.path_behind_slug()));
  in_path_ = false;
  if (upload_) stay_with(upload_);
}

void PinSearch::look_into_fields() {
  if (map_ == nullptr || map_->request_fields.empty()) return;
  const net::MessageHead& head = ctx_.client.head();
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const net::Field field = head.field(i);
    const auto is_it = [&](std::string_view name) { return iequals(name, field.name); };
    if (field.id != net::FieldId::kOther || std::ranges::none_of(map_->request_fields, is_it)) continue;
    for (const std::string_view each : split(field.value, ',')) look_up(trim(each));
  }
}

void PinSearch::look_into_upload() {
  if (map_ == nullptr) return;
  if (const auto id = percent_decode(upload_in_query(query_of(ctx_)))) look_up(*id);
  upload_ = ctx_.pinned;
}

void PinSearch::look_into_query() {
  const auto pinned = ctx_.pinned;
  look_up_all(resources_in_query(map_, query_of(ctx_)));
  if (pinned || conflict_) stay_with(pinned);
}

void PinSearch::stay_with(const std::optional<PinnedKey>& pinned) {
  conflict_ = false;
  ctx_.pinned = pinned;
}

void PinSearch::look_up_all(std::span<const std::string> ids) {
  if (ids.size() > kMostInHead) give_up();
  for (const std::string& id : ids.first(std::min(ids.size(), kMostInHead))) look_up(id);
}

// ---- one id

void PinSearch::look_up(std::string_view id) {
  if (id.empty()) return;
  ++effort_;
  if (++lookups_ > kMostLookups) {
    unread_ = unread_ || !is_digits(id);  // a number is nobody's: every account has its 42
    return;
  }
  if (notes_named_) ctx_.named.push_back(std::hash<std::string_view>()(id));
  const auto [key, mine, foreign] = table_.look_up(service_.id, ctx_.grant.fingerprint, id, sharing_, now_);
  foreign_ = foreign_ || foreign;
  // Whose things the answer shows is said by the path alone.
  ctx_.names_own = ctx_.names_own || (mine && in_path_);
  if (!key || ctx_.pinned == key || (ctx_.pinned && in_one_account(*ctx_.pinned, *key))) return;
  if (was_deleted(*key)) {
    // Told once: from now on the id is like one that was never seen, and may be learnt anew.
    table_.forget(service_.id, ctx_.grant.fingerprint, id, now_);
    deleted_ = true;
    return;
  }
  conflict_ = conflict_ || ctx_.pinned.has_value();
  if (!ctx_.pinned) ctx_.pinned = key;
}

void PinSearch::look_up_value(std::string_view value) {
  if (!looked_up_lately(value)) look_up_spellings(value);
}

void PinSearch::look_up_spellings(std::string_view value) {
  look_up(resource_id(*map_, value));
  if (!oddly_spelled(*map_, value)) return;
  effort_ += static_cast<int>(value.size() / kSpelledAtOnce);
  for (const std::string& each : resource_spellings(*map_, value)) look_up(each);
}

std::optional<PinnedKey> PinSearch::look_up_owner(std::string_view value) {
  const auto pinned = std::exchange(ctx_.pinned, std::nullopt);
  const bool conflict = conflict_;
  const bool deleted = deleted_;
  look_up_spellings(value);
  conflict_ = conflict;
  deleted_ = deleted;
  return std::exchange(ctx_.pinned, pinned);
}

// Values and not ids: to find all that one may mean costs more than to look it up.
bool PinSearch::looked_up_lately(std::string_view value) {
  if (lookups_ < kFewLookups || value.size() > kLongestKept) return false;
  if (lately_.empty()) lately_.resize(kLately);
  std::string& last = lately_[std::hash<std::string_view>()(value) % kLately];
  if (last == value) return true;
  last = value;
  return false;
}

// Of a service that is not asked any more nothing is known: its key may come back with it.
bool PinSearch::was_deleted(const PinnedKey& pinned) const {
  const KeyPool* const pool = pool_of(pinned.service);
  return pool != nullptr && !pool->has(pinned.key) && !pool->has_account(pinned.account);
}

bool PinSearch::in_one_account(const PinnedKey& a, const PinnedKey& b) const {
  const KeyPool* const pool = pool_of(a.service);
  if (a.service != b.service || pool == nullptr) return false;
  const std::uint64_t account = pool->account_of(a.key, a.account);
  return account != 0 && account == pool->account_of(b.key, b.account);
}

const KeyPool* PinSearch::pool_of(ServiceId service) const {
  if (service == service_.id) return ctx_.asked().keys.get();
  const auto& fallbacks = ctx_.asked().fallbacks;
  const auto found = std::ranges::find(fallbacks, service, [](const auto* each) { return each->config.id; });
  return found == fallbacks.end() ? nullptr : (*found)->keys.get();
}

}  // namespace akr
