// watch_for_pins(): reads the ids out of an answer while it goes down, without holding anything back.
#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/json_scan.hpp"
#include "base/pointer_set.hpp"
#include "base/strings.hpp"
#include "proxy/attempt/attempt.hpp"
#include "proxy/request/pins.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostLookedAt = 64 * 1024;  // of a JSON answer, or of one event of a stream
constexpr std::size_t kMostIds = 128;             // per answer
constexpr std::size_t kLongestId = 1024;

// Whose ids they are.
struct PinOwner {
  PinTable& table;
  ServiceId asked;
  std::string_view access_key;  // static for the process
  PinnedKey key;
  bool makes;                          // the request made something
  bool derives;                        // it looked at something of its own
  bool unread;                         // it may have named anything itself
  bool streamed;                       // and nobody looked
  std::span<const std::size_t> named;  // what it named itself, was not made by it
  WallTime now;

  enum class Told : std::uint8_t { kItself, kDerived, kInList };
  void own(std::string_view id, Told told) const {
    using How = PinTable::How;
    const bool derived = told == Told::kDerived;
    // Of accounts that count alike, every one has its 42: a number does not say whose thing it is.
    How how = makes && told != Told::kInList ? How::kMade : How::kSeen;
    if (derives && derived) how = How::kMade;
    if (how == How::kMade && (unread || is_digits(id) || was_named(id))) how = makes ? How::kNamed : How::kSeen;
    if (how == How::kMade && streamed) how = How::kMadeIfNew;
    table.put(asked, access_key, id, key, how, now);
  }
  bool was_named(std::string_view id) const {
    return std::ranges::binary_search(named, std::hash<std::string_view>()(id));
  }
};

class PinLearner final : public AnswerWatcher, private JsonScan::Visitor {
 public:
  // `lists_things`: lists in the answer are of what there is, not of what was made.
  // `map` nullptr = ids are taken as they are.  The patterns are views into the service or into static tables.
  PinLearner(const PinOwner& owner, const ResourceMap* map, PointerSet patterns, bool lists_things)
      : owner_(owner), map_(map), patterns_(std::move(patterns)) {
    if (map == nullptr) return;
    if (owner.derives) {
      for (const std::string_view pointer : map->derived) derived_.add(pointer);
    }
    if (lists_things) {
      for (const std::string_view pointer : map->lists) lists_.add(pointer);
    }
  }

  void see_event(const SseEventView& event, bool /*cut*/) override {
    scan_.reset();
    finished_ = false;
    seen_ = 0;
    look_at(event.data);
    finished_ = false;  // the next one may name more
  }
  void see_piece(std::string_view json) override { look_at(json); }
  bool done() const override { return learnt_.size() >= kMostIds || finished_; }

 private:
  void look_at(std::string_view json) {
    if (finished_) return;
    json = json.substr(0, kMostLookedAt - seen_);
    seen_ += json.size();
    finished_ = !scan_.feed(json, *this) || seen_ >= kMostLookedAt;
  }

  void scalar(const JsonScan& at, std::string_view text) override {
    if (!patterns_.fits(at.pointer())) return;
    auto told = PinOwner::Told::kItself;
    if (lists_.fits(at.pointer())) told = PinOwner::Told::kInList;
    if (derived_.fits(at.pointer())) told = PinOwner::Told::kDerived;
    learn(map_ == nullptr ? text : resource_id(*map_, text), told);
  }

  void learn(std::string_view id, PinOwner::Told told) {
    const bool known = std::find(learnt_.begin(), learnt_.end(), id) != learnt_.end();
    if (known || id.empty() || id.size() > kLongestId || learnt_.size() >= kMostIds) return;
    learnt_.emplace_back(id);
    owner_.own(id, told);
  }

  const PinOwner owner_;
  const ResourceMap* const map_;
  const PointerSet patterns_;
  PointerSet derived_;
  PointerSet lists_;
  JsonScan scan_;
  std::size_t seen_ = 0;
  bool finished_ = false;
  std::vector<std::string> learnt_;
};

// Methods that only look (RFC 9110 section 9.2.1, and those registered later).
bool is_safe(std::string_view method) {
  constexpr std::string_view kSafe[] = {"GET", "HEAD", "OPTIONS", "TRACE", "QUERY", "SEARCH", "PROPFIND", "REPORT"};
  return std::ranges::find(kSafe, method) != std::end(kSafe);
}

PointerSet patterns_for(const RequestContext& ctx) {
  PointerSet patterns;
  if (ctx.makes_resources != nullptr) {
    for (const std::string_view pattern : ctx.makes_resources->ids) patterns.add(pattern);
  }
  for (const AffinityRule& rule : ctx.asked().config.affinity_rules) {
    if (!concerns(rule, ctx)) continue;
    for (const std::string& pattern : rule.created) patterns.add(pattern);
  }
  return patterns;
}

}  // namespace

std::unique_ptr<AnswerWatcher> watch_for_pins(const RequestContext& ctx, const Attempt& answered,
                                              const PinSettings& pins) {
  const net::MessageHead& head = answered.answer->head;
  const Service& service = ctx.asked().config;
  const bool asked = ctx.makes_resources != nullptr || !service.affinity_rules.empty();
  if (pins.table == nullptr || !asked || head.status() < 200 || head.status() > 299) return nullptr;
  auto patterns = patterns_for(ctx);
  if (patterns.empty()) return nullptr;
  const PinOwner owner = {.table = *pins.table,
                          .asked = service.id,
                          .access_key = ctx.grant.fingerprint,
                          .key = {answered.by.service->config.id, answered.lease.key().id, answered.lease.account()},
                          .makes = !is_safe(ctx.client.head().method()),
                          .derives = ctx.names_own,
                          .unread = ctx.names_unread,
                          .streamed = ctx.streamed_unread,
                          .named = ctx.named,
                          .now = pins.clock->wall()};
  const ResourceMap* const map = answered.by.speaks ? answered.by.speaks.provider->resources : nullptr;
  if (map != nullptr && ctx.makes_resources != nullptr && !map->url_field.empty()) {
    const std::string_view id = resource_in_url(head.find(map->url_field));
    const auto decoded = percent_decode(id);
    if (!id.empty() && decoded) owner.own(*decoded, PinOwner::Told::kItself);
  }
  const bool lists_things = ctx.makes_resources != nullptr && !ctx.makes_resources->makes_lists;
  return std::make_unique<PinLearner>(owner, map, std::move(patterns), lists_things);
}

}  // namespace akr
