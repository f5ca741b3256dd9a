#include "proxy/request/pin_search.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/strings.hpp"
#include "llm/resource_names.hpp"

namespace akr {
namespace {

constexpr std::size_t kLongestModel = 256;
// Per request.  No request names so many things, and each costs half a microsecond.
constexpr int kMostLookups = 100'000;
constexpr int kFewLookups = 64;       // up to here nothing is remembered of them
constexpr std::size_t kLately = 256;  // ids; lists repeat a few

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

// What may stand before JSON: blanks, the marks of UTF-8, UTF-16 and UTF-32, and the zeros of the latter two.
constexpr std::string_view kBeforeJson{" \t\r\n\xef\xbb\xbf\xfe\xff\0", 10};

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
  for (const std::string& id : resources_in_path(map_, ctx_.path_behind_slug())) look_up(id);
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
  for (const std::string& id : resources_in_query(map_, query_of(ctx_))) look_up(id);
  if (pinned || conflict_) stay_with(pinned);
}

void PinSearch::stay_with(const std::optional<PinnedKey>& pinned) {
  conflict_ = false;
  ctx_.pinned = pinned;
}

// ---- one id

void PinSearch::look_up(std::string_view id) {
  if (id.empty() || looked_up_lately(id)) return;
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
  look_up(resource_id(*map_, value));
  if (!oddly_spelled(*map_, value)) return;
  for (const std::string& each : resource_spellings(*map_, value)) look_up(each);
}

bool PinSearch::looked_up_lately(std::string_view id) {
  if (lookups_ < kFewLookups) return false;
  if (lately_.empty()) lately_.resize(kLately);
  std::string& last = lately_[std::hash<std::string_view>()(id) % kLately];
  if (last == id) return true;
  last = id;
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

// ---- the body

bool PinSearch::wants_body() const { return map_ != nullptr || !used_.empty(); }

// However it comes in pieces.
bool PinSearch::look_into(std::string_view piece) {
  if (piece.empty()) return true;
  if (!begun_) {
    const std::size_t begin = std::min(piece.find_first_not_of(kBeforeJson), piece.size());
    zeros_ = zeros_ || piece.substr(0, begin).find('\0') != std::string_view::npos;
    piece.remove_prefix(begin);
    if (piece.empty()) return true;
    begun_ = true;
    if (piece.front() != '{' && piece.front() != '[') return false;
    opens_ = true;
  } else if (opens_) {
    zeros_ = zeros_ || piece.front() == '\0';
    opens_ = false;
  }
  if (opens_ && piece.size() > 1) {
    zeros_ = zeros_ || piece[1] == '\0';
    opens_ = false;
  }
  // JSON in UTF-16 or UTF-32, which some servers understand, and no JSON to us.
  if (zeros_) give_up();
  return scan_.feed(piece, *this) && !foreign_ && !may_be_foreign();
}

void PinSearch::scalar(const JsonScan& at, std::string_view text) {
  if (at.at_number() && used_.empty()) return;
  if (at.place() != place_.at) enter(at);
  if (place_.used && used_.fits(at.pointer())) look_up(text);
  if (at.at_number()) return;
  if (place_.model && ctx_.model.empty()) ctx_.model = text.size() <= kLongestModel ? text : std::string_view();
  if (place_.id) look_up_value(text);
  if (place_.reference != Reference::kNone) note_reference(at, text);
}

// Too long for an id, but not for the URL of a thing with anything behind it.
void PinSearch::long_text(const JsonScan& at, std::string_view beginning) {
  constexpr std::string_view kNoName = "data:";
  if (at.place() != place_.at) enter(at);
  const bool id = place_.id || place_.reference == Reference::kId || (place_.used && used_.fits(at.pointer()));
  if (!id || istarts_with(beginning, kNoName)) return;
  const auto end = beginning.find_first_of("?#");
  if (map_ == nullptr || !map_->names || end == std::string_view::npos) return give_up();
  look_up_value(beginning.substr(0, end));
}

void PinSearch::enter(const JsonScan& at) {
  const std::string_view pointer = at.pointer();
  place_ = {.at = at.place(),
            .used = used_.reaches_below(pointer.substr(0, pointer.rfind('/'))),
            .model = model_in_body_ && pointer == "/model"};
  if (map_ == nullptr) return;
  place_.id = is_id_member(at);
  if (map_->reference_type.empty()) return;
  const std::string_view name = at.member();
  if (iequals(name, "id")) place_.reference = Reference::kId;
  if (iequals(name, "type")) place_.reference = Reference::kType;
}

bool PinSearch::is_id_member(const JsonScan& at) const {
  const std::string_view name = at.member();
  for (const std::string_view wanted : map_->members) {
    const auto slash = wanted.find('/');
    // Some servers tell names apart by their letters, some do not care for their case.
    if (!iequals(wanted.substr(slash == std::string_view::npos ? 0 : slash + 1), name)) continue;
    if (slash != std::string_view::npos && !iequals(wanted.substr(0, slash), at.member(1))) continue;
    return !at.inside("metadata");
  }
  return false;
}

// {"type":"item_reference","id":...}, whichever comes first.
void PinSearch::note_reference(const JsonScan& at, std::string_view text) {
  if (object_ != at.objects()) {
    object_ = at.objects();
    is_reference_ = false;
    id_.clear();
  }
  if (place_.reference == Reference::kId) id_ = text;
  if (place_.reference == Reference::kType) is_reference_ = text == map_->reference_type;
  if (is_reference_) look_up_value(id_);
}

}  // namespace akr
