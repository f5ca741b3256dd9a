// find_pin(), take_pinned_key(): the request's side.  The answer's side is pin_learner.cpp.
#include "proxy/request/pins.hpp"

#include <algorithm>
#include <utility>

#include "llm/resources.hpp"
#include "net/http/content_decoder.hpp"
#include "net/loop/client_watch.hpp"
#include "proxy/request/body_text.hpp"
#include "proxy/request/pin_search.hpp"
#include "proxy/request/unpacking_place.hpp"

namespace akr {
namespace {

// Of a body: longer ones are a pause for the worker's other requests.
constexpr std::size_t kAtOnce = 64 * 1024;
// So are those that name much: what is looked up costs more than what is read.
constexpr std::size_t kFewBytes = 4 * 1024;
constexpr std::ptrdiff_t kFewQuotes = 1024;
constexpr std::ptrdiff_t kFewCommas = 4096;  // elements of arrays
constexpr int kEffortAtOnce = 512;           // PinSearch::effort(); seen after each slice
constexpr std::size_t kSlice = 2 * 1024;

Error not_available(std::string message) {
  return {.code = ErrorCode::kPinnedKeyUnavailable, .message = std::move(message)};
}

// To the client it is as if it were not there.
Error not_theirs() {
  return {ErrorCode::kNotFound, "nothing of a name that the request gives was made with this access key"};
}

Error not_readable() {
  return {ErrorCode::kBadRequest,
          "whether the request names things of other access keys cannot be told: its body is in a content coding that "
          "is unknown, damaged, ambiguous or too long, or it is in UTF-16 or UTF-32, or it is no strict JSON or a form "
          "that "
          "may be read in several ways, or it names too many things or one by a text that is too long"};
}

// One that is sent to a place for uploads and names its upload is a file's bytes, whatever they look like.
bool is_part_of_file(const RequestContext& ctx) { return is_upload_path(ctx.path_behind_slug()); }

// Is what it makes to be with the other things that its access key made?  Not what is generated on the way, for then a
// single client would use a single key: it stays where the policy put it, unless the request asks for it to be kept.
bool belongs_home(const RequestContext& ctx, const PreparedRequest& request) {
  const Service& service = ctx.asked().config;
  if (service.pinning != Pinning::kHome || !may_make(ctx)) return false;
  const auto makes = [&](const AffinityRule& rule) { return !rule.created.empty() && concerns(rule, ctx); };
  if (std::ranges::any_of(service.affinity_rules, makes)) return true;
  return ctx.makes_resources != nullptr && (!ctx.generates || asks_to_keep(*resource_map_of(ctx), request.text()));
}

bool is_wanted(RequestContext& ctx, const PreparedRequest& request, const PinSettings& pins) {
  if (pins.table == nullptr) return false;
  if (const ResourceMap* const map = resource_map_of(ctx)) {
    ctx.makes_resources = find_resource_rule(*map, ctx.client.head().method(), ctx.path_behind_slug(), request.text());
  }
  ctx.at_home = belongs_home(ctx, request);
  return pins.table->any(ctx.asked().config.id) || may_make(ctx);
}

// True: the body may name something, too.
bool look_into_head(const RequestContext& ctx, const PreparedRequest& request, PinSearch& search) {
  search.look_into_upload();  // comes before everything else
  const bool bytes = ctx.pinned && is_part_of_file(ctx);
  search.look_into_fields();
  search.look_into_path();
  return !bytes && !request.streams_upload && search.wants_body() && !search.foreign();
}

Result<void> end_search(RequestContext& ctx, const PreparedRequest& request, PinSearch& search) {
  search.end_body();
  if (search.foreign()) return not_theirs();
  if (search.deleted()) {
    return not_available(
        "what the request names was made with an upstream key that was deleted; it must be made again");
  }
  const bool conflict = search.conflict();
  search.look_into_query();
  if (search.foreign()) return not_theirs();
  if (search.may_be_foreign()) return not_readable();
  ctx.names_unread = search.unread();
  ctx.streamed_unread = request.streams_upload && search.wants_body() && !search.takes_file();
  std::ranges::sort(ctx.named);
  if (!conflict) return {};
  return not_available(
      "the request names things that belong to different upstream keys; each of them can only be reached with its own "
      "key");
}

}  // namespace

bool is_read_at_once(const net::MessageHead& head, const PreparedRequest& request) {
  if (request.streams_upload) return true;
  if (request.body.size() > kAtOnce) return false;
  if (head.has(net::FieldId::kContentEncoding) && !net::content_codings(head).none()) return false;
  const std::string_view body = request.body.in_memory();
  if (body.size() <= kFewBytes) return true;
  const auto has_few = [&](char c, std::ptrdiff_t few) { return std::ranges::count(body, c) <= few; };
  return PreparedRequest::opens_json(body) && has_few('"', kFewQuotes) && has_few('&', kFewQuotes) &&
         has_few(',', kFewCommas);
}

Result<void> find_pin(RequestContext& ctx, const PreparedRequest& request, const PinSettings& pins) {
  if (!is_wanted(ctx, request, pins)) return {};
  PinSearch search(ctx, pins);
  if (look_into_head(ctx, request, search)) search.look_into(request.body.in_memory());
  return end_search(ctx, request, search);
}

namespace {

// Ends in a later turn, behind everybody whose socket has news; all who stand back share a millisecond of each turn.
net::Task<Result<void>> stand_back(net::Socket& socket, net::ClientWatch& watch) {
  socket.stand_back(net::kRead);
  const net::WaitEnd end = co_await net::wait_for(socket, net::kRead, TimePoint::max());
  if (end == net::WaitEnd::kCancelled) co_return Error{ErrorCode::kShuttingDown, "the gateway is shutting down"};
  if (watch.gone()) co_return Error{ErrorCode::kClientGone, "the client left while its request was read"};
  co_return Result<void>();
}

// As much as one turn may cost; takes from `text` what it looked at.  False: the search is over.
bool look_for_a_turn(PinSearch& search, std::string_view& text) {
  const int effort = search.effort();
  const std::size_t size = text.size();
  while (!text.empty() && size - text.size() < kAtOnce && search.effort() - effort < kEffortAtOnce) {
    const std::string_view slice = text.substr(0, kSlice);
    text.remove_prefix(slice.size());
    if (!search.look_into(slice)) return false;
  }
  return true;
}

net::Task<Result<void>> look_into_text(RequestContext& ctx, std::string_view text, PinSearch& search) {
  net::Socket& socket = ctx.client.socket();
  net::ClientWatch watch(socket);
  while (!text.empty() && look_for_a_turn(search, text)) {
    auto back = co_await stand_back(socket, watch);
    if (!back) co_return back;
  }
  co_return Result<void>();
}

// Of a body that is long, or packed.
net::Task<Result<void>> look_into_body(RequestContext& ctx, PreparedRequest& request, PinSearch& search) {
  net::Socket& socket = ctx.client.socket();
  net::ClientWatch watch(socket);
  const bool packed = !net::content_codings(ctx.client.head()).none();
  const std::string_view access_key = ctx.grant.fingerprint;
  while (packed && !UnpackingPlace::is_free(access_key)) {
    auto back = co_await stand_back(socket, watch);
    if (!back) co_return back;
  }
  std::optional<UnpackingPlace> place;
  if (packed) place.emplace(access_key);
  BodyText text(ctx.client.head(), request, ctx.body_limit);
  for (;;) {
    std::string_view piece;
    const BodyText::Next next = text.next(piece);
    if (next == BodyText::Next::kUnreadable || next == BodyText::Next::kTooLong) search.give_up();
    if (next != BodyText::Next::kPiece) co_return Result<void>();
    do {
      if (!look_for_a_turn(search, piece)) co_return Result<void>();
      auto back = co_await stand_back(socket, watch);
      if (!back) co_return back;
    } while (!piece.empty());
  }
}

}  // namespace

net::Task<Result<void>> find_pin_in_turns(RequestContext& ctx, PreparedRequest& request, const PinSettings& pins) {
  if (!is_wanted(ctx, request, pins)) co_return Result<void>();
  PinSearch search(ctx, pins);
  if (request.two_readings) search.give_up();
  if (look_into_head(ctx, request, search)) {
    // What was unpacked already is not unpacked again.
    const std::string_view text = request.decoded_whole ? request.whole_text() : std::string_view();
    auto looked = text.empty() ? look_into_body(ctx, request, search) : look_into_text(ctx, text, search);
    if (auto ended = co_await std::move(looked); !ended) co_return ended;
  }
  co_return end_search(ctx, request, search);
}

bool concerns(const AffinityRule& rule, const RequestContext& ctx) {
  if (!rule.method.empty() && rule.method != ctx.client.head().method()) return false;
  return rule.path.empty() || path_fits(rule.path, ctx.path_behind_slug(), PathEnd::kThere);
}

Result<KeyLease> take_pinned_key(const PinnedKey& pinned, const RoutedService& service, const SelectRequest& wanted,
                                 TimePoint now) {
  // A key only ever goes to the upstream of its own service: Fallbacks has gone there.
  if (pinned.service == service.config.id) {
    SelectRequest bound = wanted;
    bound.account = pinned.account;
    return service.keys->select_exactly(pinned.key, bound, now);
  }
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
