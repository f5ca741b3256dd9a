#include "proxy/usage_tap.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostKept = 64 * 1024;
constexpr std::string_view kName = "\"usage";

// The end of the object that begins at `from`; npos if it is cut.
std::size_t end_of_object(std::string_view json, std::size_t from) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = from; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{') ++depth;
    if (c == '}' && --depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

std::size_t skip_space(std::string_view json, std::size_t at) {
  return std::min(json.find_first_not_of(" \t\r\n", at), json.size());
}

}  // namespace

std::unique_ptr<UsageTap> make_usage_tap(const Format* format, const net::MessageHead& answer) {
  const std::string_view coding = answer.find(net::FieldId::kContentEncoding);
  if (format == nullptr || answer.status() >= 300 || (!coding.empty() && !iequals(coding, "identity"))) return nullptr;
  const std::string_view type = answer.find(net::FieldId::kContentType);
  const bool is_stream = istarts_with(type, "text/event-stream");
  if (!is_stream && !istarts_with(type, "application/json")) return nullptr;
  return std::make_unique<UsageTap>(*format, is_stream);
}

std::string_view last_usage_member(std::string_view json) {
  for (std::size_t at = json.rfind(kName); at != std::string_view::npos && at > 0; at = json.rfind(kName, at - 1)) {
    if (json[at - 1] == '\\') continue;
    const std::size_t name_end = json.find('"', at + 1);
    if (name_end == std::string_view::npos) continue;
    const std::size_t colon = skip_space(json, name_end + 1);
    if (colon >= json.size() || json[colon] != ':') continue;
    const std::size_t object = skip_space(json, colon + 1);
    if (object >= json.size() || json[object] != '{') continue;
    const std::size_t end = end_of_object(json, object);
    if (end != std::string_view::npos) return json.substr(at, end - at);
  }
  return {};
}

void UsageTap::take(std::string_view data) {
  if (is_stream_) {
    for (;;) {
      const std::size_t end = data.find_first_of("\r\n");
      feed_line(data.substr(0, end));
      if (end == std::string_view::npos) return;
      read_line(text_);
      text_.clear();
      cut_ = false;
      data.remove_prefix(end + 1);
    }
  }
  text_ += data;
  if (text_.size() <= 2 * kMostKept) return;
  text_.erase(0, text_.size() - kMostKept);
  cut_ = true;
}

void UsageTap::feed_line(std::string_view text) {
  if (text_.size() + text.size() > kMostKept) cut_ = true;
  if (cut_) text_.clear();
  if (!cut_) text_ += text;
}

void UsageTap::read_line(std::string_view line) {
  constexpr std::string_view kData = "data:";
  if (!line.starts_with(kData) || line.find(kName) == std::string_view::npos) return;
  format_.read_usage(line.substr(kData.size()), usage_);
}

std::optional<std::uint64_t> UsageTap::total() {
  if (is_stream_) {
    read_line(text_);
  } else if (!cut_) {
    format_.read_usage(text_, usage_);
  } else if (const std::string_view member = last_usage_member(text_); !member.empty()) {
    format_.read_usage("{" + std::string(member) + "}", usage_);
  }
  return usage_.sum();
}

}  // namespace akr
