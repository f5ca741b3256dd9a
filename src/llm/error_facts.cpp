#include "llm/error_facts.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include <boost/json/basic_parser_impl.hpp>

#include "base/strings.hpp"
#include "base/utf8.hpp"
#include "llm/error_places.hpp"
#include "llm/hint_members.hpp"

namespace akr {
namespace {

constexpr std::size_t kTextLimit = 2048;
constexpr std::size_t kMaxDepth = 32;

using Place = ErrorPlace;

// The handler of boost::json::basic_parser; it calls us for every token, in order.
class FactsReader {
 public:
  // NOLINTBEGIN(readability-identifier-naming): the parser asks for them by these names
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  // NOLINTEND(readability-identifier-naming)
  using Failure = boost::json::error_code;
  using Text = boost::json::string_view;

  explicit FactsReader(ErrorFacts& facts) : facts_(facts) { places_[0] = Place::kRoot; }

  bool on_document_begin(Failure&) { return true; }
  bool on_document_end(Failure&) { return true; }
  bool on_object_begin(Failure&) {
    facts_.is_json = true;
    return enter(object_place(place(), key_));
  }
  bool on_object_end(std::size_t, Failure&) { return leave(); }
  bool on_array_begin(Failure&) {
    facts_.is_json = true;
    return enter(array_place(place(), key_));
  }
  bool on_array_end(std::size_t, Failure&) { return leave(); }

  bool on_key_part(Text part, std::size_t, Failure&) { return collect_key(part); }
  bool on_key(Text part, std::size_t, Failure&) {
    collect_key(part);
    key_done_ = true;
    return true;
  }
  bool on_string_part(Text part, std::size_t, Failure&) { return collect_text(part); }
  bool on_string(Text part, std::size_t, Failure&) {
    collect_text(part);
    take_string();
    text_.clear();
    text_full_ = false;
    return true;
  }
  bool on_number_part(Text, Failure&) { return true; }
  bool on_int64(std::int64_t value, Text, Failure&) { return take_number(static_cast<double>(value)); }
  bool on_uint64(std::uint64_t value, Text, Failure&) { return take_number(static_cast<double>(value)); }
  bool on_double(double value, Text, Failure&) { return take_number(value); }
  bool on_bool(bool value, Failure&) {
    if (value && place() == Place::kTop && key_ == "error") facts_.has_error = true;
    if (place() == Place::kError) facts_.has_error = true;
    if (place() == Place::kTop && key_ == "done") note_state();
    return true;
  }
  bool on_null(Failure&) { return true; }
  bool on_comment_part(Text, Failure&) { return true; }
  bool on_comment(Text, Failure&) { return true; }

 private:
  Place place() const { return places_[depth_]; }

  bool enter(Place next) {
    if (place() == Place::kError) facts_.has_error = true;
    if (depth_ + 1 >= places_.size()) return false;  // the parser's own limit comes first
    places_[++depth_] = next;
    return true;
  }

  bool leave() {
    --depth_;
    return true;
  }

  bool collect_key(Text part) {
    if (key_done_) key_.clear();
    key_done_ = false;
    if (place() != Place::kOther && key_.size() < 64) key_.append(part.data(), std::min<std::size_t>(part.size(), 64));
    return true;
  }

  bool collect_text(Text part) {
    if (place() == Place::kOther) return true;
    const std::size_t room = text_full_ ? 0 : kTextLimit - text_.size();
    text_ += cut_utf8({part.data(), part.size()}, room);
    text_full_ |= part.size() > room;
    return true;
  }

  void take_string() {
    switch (place()) {
      case Place::kTop:
        take_top();
        return take_hint();
      case Place::kError:
        take_error();
        return take_hint();
      case Place::kDetail:
        take_detail();
        return take_hint();
      case Place::kListed:
        take_listed();
        return take_hint();
      case Place::kMetadata:
        take_quota();
        return take_hint();
      case Place::kViolation:
        return take_quota();
      case Place::kHeaders:
        return take_header();
      case Place::kRoot:
      case Place::kTopArray:
      case Place::kResponse:
      case Place::kDetails:
      case Place::kViolations:
      case Place::kList:
      case Place::kOther:
        return;
    }
  }

  void note_state() {
    has_state_ = true;
    facts_.is_resource = has_identity_;
  }

  void note_identity() {
    has_identity_ = true;
    facts_.is_resource = has_state_;
  }

  // Of a scalar whose text is in text_, string or number.
  void take_hint() {
    if (facts_.hint_count == facts_.hints.size()) return;
    if (const auto form = hint_form(key_)) facts_.hints[facts_.hint_count++] = {*form, text_};
  }

  void take_header() {
    if (facts_.header_count < facts_.headers.size()) facts_.headers[facts_.header_count++] = {key_, text_};
  }

  void take_listed() {
    if (key_ == "message" || key_ == "detail" || key_ == "title") {
      if (facts_.message.empty()) facts_.message = text_;
    } else if (key_ == "reason") {
      take_reason();
    } else if (key_ == "code" && facts_.code.empty()) {
      facts_.code = text_;
    }
  }

  void take_reason() {
    if (facts_.reason_count < facts_.reasons.size()) facts_.reasons[facts_.reason_count++] = text_;
  }

  void take_top() {
    if (!text_.empty() && (key_ == "id" || key_ == "name")) note_identity();
    if (key_ == "status" || key_ == "state" || key_ == "processing_status") note_state();
    if (key_ == "error" && !text_.empty()) {
      facts_.has_error = true;
      facts_.message = text_;
    } else if (key_ == "message" || key_ == "detail" || key_ == "description" || key_ == "error_description") {
      if (facts_.message.empty()) facts_.message = text_;
    } else if (key_ == "code") {
      if (facts_.code.empty()) facts_.code = text_;
    } else if (key_ == "type") {
      facts_.event_type = text_;
      if (text_ == "error") facts_.has_error = true;
    }
  }

  void take_error() {
    if (!text_.empty()) facts_.has_error = true;
    if (key_ == "message") facts_.message = text_;
    if (key_ == "code") facts_.code = text_;
    if (key_ == "type") facts_.type = text_;
    if (key_ == "status") facts_.status = text_;
  }

  void take_detail() {
    if (key_ == "reason") take_reason();
    if (key_ == "retryDelay") facts_.retry_delay = text_;
    if (key_ == "error_code") facts_.error_code = text_;
    if (key_ == "@type" && text_.ends_with("QuotaFailure")) facts_.quota_failure = true;
  }

  // quotaId and quotaValue of a violation; older answers carry the same as metadata of an ErrorInfo.
  void take_quota() {
    if (key_ == "quotaId" || key_ == "quotaMetric" || key_ == "quota_limit") {
      facts_.quota_per_day |= text_.find("PerDay") != std::string::npos;
      facts_.quota_per_minute |= text_.find("PerMinute") != std::string::npos;
    }
    if (key_ == "quotaValue" || key_ == "quota_limit_value") facts_.quota_zero |= text_ == "0";
  }

  bool take_number(double value) {
    if (place() == Place::kError) facts_.has_error = true;
    const bool is_code = key_ == "code" && (place() == Place::kError || (place() == Place::kTop && facts_.number == 0));
    if (is_code && value > 0 && value < 1e9) facts_.number = static_cast<int>(value);
    if (place() == Place::kViolation && key_ == "quotaValue") facts_.quota_zero |= value == 0;
    take_number_as_text(value);
    return true;
  }

  // Only hints and fields: codes that are numbers are told as such.
  void take_number_as_text(double value) {
    const bool of_head = place() == Place::kHeaders;
    if (!of_head && (place() == Place::kOther || place() == Place::kViolation || !hint_form(key_))) return;
    char digits[32];
    if (!std::isfinite(value) || std::fabs(value) > 1e18) return;
    const auto written = std::to_chars(std::begin(digits), std::end(digits), value, std::chars_format::fixed, 3);
    if (written.ec != std::errc()) return;
    text_.assign(digits, written.ptr);
    of_head ? take_header() : take_hint();
    text_.clear();
  }

  ErrorFacts& facts_;
  std::array<Place, kMaxDepth + 2> places_;
  std::size_t depth_ = 0;
  std::string key_;
  std::string text_;
  bool key_done_ = false;
  bool has_identity_ = false;
  bool has_state_ = false;
  bool text_full_ = false;  // the rest of this string is left out
};

}  // namespace

bool ErrorFacts::has_reason(std::string_view reason) const {
  return std::find(reasons.begin(), reasons.begin() + reason_count, reason) != reasons.begin() + reason_count;
}

// memmem() because it is several times as fast as string_view::find() on prose, and every phrase of a dialect is asked.
bool ErrorFacts::says(std::string_view phrase) const {
  const std::size_t window = std::min<std::size_t>(lower_message.size(), 1024);
  return ::memmem(lower_message.data(), window, phrase.data(), phrase.size()) != nullptr;
}

ErrorFacts read_error_facts(std::string_view body) {
  ErrorFacts facts;
  if (body.starts_with("\xef\xbb\xbf")) body.remove_prefix(3);
  const auto begin = body.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || (body[begin] != '{' && body[begin] != '[')) return facts;
  body = body.substr(begin, kErrorBodyLimit);

  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  options.allow_invalid_utf8 = true;  // a message in a wrong encoding still has a code beside it
  boost::json::basic_parser<FactsReader> parser(options, facts);
  boost::json::error_code failure;
  parser.write_some(true, body.data(), body.size(), failure);  // true: a cut body is fine, its facts count
  facts.lower_message = to_lower(facts.message);
  return facts;
}

}  // namespace akr
