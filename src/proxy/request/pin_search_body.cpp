// PinSearch, what a body names: in JSON whatever its type is, and in forms.
#include <algorithm>
#include <utility>

#include "base/strings.hpp"
#include "proxy/request/pin_search.hpp"

namespace akr {
namespace {

constexpr std::size_t kLongestModel = 256;
constexpr std::string_view kNoName = "data:";
// For the JSON in one field of a form; seen after each slice.
constexpr int kMostEffort = 1024;
constexpr std::size_t kSlice = 2 * 1024;

// What may stand before JSON: blanks, the marks of UTF-8, UTF-16 and UTF-32, and the zeros of the latter two.
constexpr std::string_view kBeforeJson{" \t\r\n\xef\xbb\xbf\xfe\xff\0", 10};

bool opens_json(char c) { return c == '{' || c == '['; }

bool is_form(std::string_view type) {
  return istarts_with(type, "multipart/") || iequals(media_type(type), "application/x-www-form-urlencoded");
}

// Bytes, which nobody takes for text.
bool is_binary(std::string_view type) {
  constexpr std::string_view kKinds[] = {
      "audio/",          "image/",          "video/",          "application/octet-stream",
      "application/pdf", "application/zip", "application/gzip"};
  return std::ranges::any_of(kKinds, [&](auto each) { return istarts_with(type, each); });
}

// Other ways to write what JSON says; Google reads the first.
bool is_other_notation(std::string_view type) {
  constexpr std::string_view kKinds[] = {"protobuf", "grpc", "msgpack", "cbor", "yaml", "xml"};
  const std::string lower = to_lower(media_type(type));
  return std::ranges::any_of(kKinds, [&](auto each) { return lower.find(each) != std::string::npos; });
}

// Some readers fold names as Unicode does: a long s is an s, a Kelvin sign a k.
std::string_view folded(std::string_view name, std::string& space) {
  constexpr std::pair<std::string_view, char> kFolds[] = {{"\xc5\xbf", 's'}, {"\xe2\x84\xaa", 'k'}};
  for (const auto& [from, to] : kFolds) {
    for (auto at = name.find(from); at != std::string_view::npos; at = name.find(from)) {
      std::string plain(name.substr(0, at));
      space = (plain += to).append(name.substr(at + from.size()));
      name = space;
    }
  }
  return name;
}

// Of "video[id]", "file_ids[0]" or "a.video.id" the last name and the one before it.
std::pair<std::string_view, std::string_view> last_names(std::string_view path) {
  std::pair<std::string_view, std::string_view> last;
  while (!path.empty()) {
    const auto end = path.find_first_of("[].");
    const std::string_view name = path.substr(0, end);
    if (!is_digits(name)) last = {name, last.first};
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
  }
  return last;
}

}  // namespace

bool PinSearch::wants_body() const { return map_ != nullptr || !used_.empty(); }

bool PinSearch::takes_file() const { return map_ != nullptr && akr::takes_file(*map_, ctx_.path_behind_slug()); }

// However it comes in pieces.
bool PinSearch::look_into(std::string_view piece) {
  if (reading_ == Reading::kBefore) {
    piece = behind_blanks(piece);
    if (!piece.empty()) begin_body(piece.front());
  }
  if (piece.empty()) return true;
  // JSON in UTF-16 or UTF-32, which some servers understand, and no JSON to us.
  if (seen_ < 2 && piece.size() > 1 - seen_) zeros_ = zeros_ || piece[1 - seen_] == '\0';
  seen_ += piece.size();
  if (zeros_ && reading_ == Reading::kJson) give_up();
  if (form_) form_->feed(piece, *this);
  if (reading_ == Reading::kNothing) return false;
  bool more = true;
  if (reading_ == Reading::kJson) {
    more = scan_.feed(piece, *this);
    if (scan_.odd() && !unread_ && !takes_file()) give_up();
  }
  // Whatever some readers skip before the value: without a brace there is none that names anything.
  if (reading_ == Reading::kText && piece.find('{') != std::string_view::npos) give_up();
  return !foreign_ && !may_be_foreign() && !(unread_ && !more);
}

std::string_view PinSearch::behind_blanks(std::string_view piece) {
  const std::size_t begin = std::min(piece.find_first_not_of(kBeforeJson), piece.size());
  zeros_ = zeros_ || piece.substr(0, begin).find('\0') != std::string_view::npos;
  return piece.substr(begin);
}

void PinSearch::begin_body(char first) {
  const std::string_view type = ctx_.client.head().find(net::FieldId::kContentType);
  const bool json = opens_json(first);
  reading_ = json ? Reading::kJson : Reading::kNothing;
  if (takes_file()) return;
  if (map_ == nullptr) {  // rules lead into JSON
    if (!json && (type.empty() || media_type(type).ends_with("json"))) reading_ = Reading::kText;
    return;
  }
  // Also of what opens as JSON: which of them it is, the upstream decides.
  if (is_form(type)) form_.emplace(type);
  if (json || is_binary(type)) return;
  if (is_other_notation(type)) give_up();
  reading_ = form_ ? Reading::kForm : Reading::kText;
}

void PinSearch::end_body() {
  if (form_) form_->end(*this);
  for (Named& each : open_) settle(each);
  open_.clear();
  if (!ctx_.pinned && !conflict_ && !items_differ_) ctx_.pinned = item_;
}

// ---- JSON

void PinSearch::scalar(const JsonScan& at, std::string_view text) {
  if (at.at_number() && used_.empty()) return;
  if (at.place() != place_.at) enter(at);
  if (place_.used && used_.fits(at.pointer()) && (map_ != nullptr || !looked_up_lately(text))) look_up(text);
  if (at.at_number()) return;
  if (place_.model && ctx_.model.empty()) ctx_.model = text.size() <= kLongestModel ? text : std::string_view();
  if (place_.id) look_up_value(text);
  if (place_.reference != Reference::kNone) note_reference(at, text);
}

// Too long for an id, but not for the URL of a thing with anything behind it.
void PinSearch::long_text(const JsonScan& at, std::string_view beginning) {
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
  const std::string_view name = at.member();
  std::string space;
  place_.id = names_id(folded(name, space), at.member(1)) && !at.inside("metadata");
  if (map_->reference_type.empty()) return;
  if (iequals(name, "id")) place_.reference = Reference::kId;
  if (iequals(name, "type")) place_.reference = Reference::kType;
}

bool PinSearch::names_id(std::string_view member, std::string_view outer) const {
  for (const std::string_view wanted : map_->members) {
    const auto slash = wanted.find('/');
    // Some servers tell names apart by their letters, some do not care for their case.
    if (!iequals(wanted.substr(slash == std::string_view::npos ? 0 : slash + 1), member)) continue;
    if (slash == std::string_view::npos || iequals(wanted.substr(0, slash), outer)) return true;
  }
  return false;
}

// {"type":"item_reference","id":...}, whichever comes first; and what is passed back with the id that it was given.
void PinSearch::note_reference(const JsonScan& at, std::string_view text) {
  if (open_.size() <= at.depth()) open_.resize(at.depth() + 1);
  Named& named = open_[at.depth()];
  if (named.object != at.object()) {
    settle(named);
    const std::string_view list = at.member(1);
    const bool item = std::ranges::any_of(map_->item_lists, [&](auto each) { return iequals(each, list); });
    named = {.object = at.object(), .item = item};
  }
  if (place_.reference == Reference::kId) {
    if (named.item && named.id != text) named.key = look_up_owner(text);
    named.id = text;
  } else {
    named.reference = named.reference || text == map_->reference_type;
    named.whole = std::ranges::find(map_->whole_items, text) != map_->whole_items.end();
  }
  if (named.reference) look_up_value(named.id);
}

// The keys of items are as good as each other: where they do not agree, any key may try.
void PinSearch::settle(Named& named) {
  const auto key = std::exchange(named.key, std::nullopt);
  if (!key || named.whole || named.reference) return;
  if (!item_) item_ = key;
  items_differ_ = items_differ_ || !(*item_ == *key || in_one_account(*item_, *key));
}

// ---- forms

// Any value may be an id, as in the query; those of members that hold one say which key is meant, too.
void PinSearch::field(const FormReader::Field& field) {
  ++effort_;
  if (istarts_with(field.name, "metadata")) return;
  const std::string_view value = trim(field.value);
  if (value.empty()) return;
  if (!field.file && opens_json(value.front())) return field.cut ? give_up() : look_into_field(value);
  const auto [name, outer] = last_names(field.name);
  std::string space;
  const bool names = !field.file && names_id(folded(name, space), outer);
  if (field.cut || value.size() > JsonScan::kLongestText) {
    if (names && !istarts_with(value, kNoName)) give_up();
    return;
  }
  look_up_owner(value);
  if (!names) return;
  for (const std::string_view each : split(value, ',')) look_up_value(trim(each));
}

// Text that begins like JSON and is none is text: a prompt.  It is read in one go, and so must not name much.
void PinSearch::look_into_field(std::string_view json) {
  for (Named& each : open_) settle(each);
  open_.clear();
  place_ = {};
  JsonScan scan;
  for (const int effort = effort_; !json.empty() && scan.feed(json.substr(0, kSlice), *this);
       json.remove_prefix(std::min(kSlice, json.size()))) {
    if (effort_ - effort > kMostEffort) {
      give_up();
      break;
    }
  }
  for (Named& each : open_) settle(each);
  open_.clear();
  place_ = {};
}

}  // namespace akr
