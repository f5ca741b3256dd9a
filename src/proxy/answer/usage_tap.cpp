#include "proxy/answer/usage_tap.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/strings.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostKept = 64 * 1024;
constexpr std::string_view kName = "\"usage";

std::size_t skip_space(std::string_view json, std::size_t at) {
  return std::min(json.find_first_not_of(" \t\r\n", at), json.size());
}

// Where a member "usage..." begins for certain: its quote is no escaped one.  npos if there is none.
std::size_t first_usage_name(std::string_view json) {
  std::size_t at = json.find(kName, 1);
  while (at != std::string_view::npos && json[at - 1] == '\\') at = json.find(kName, at + 1);
  return at;
}

// One walk from the first such name on, outside of strings from there: an answer full of names whose objects are cut
// must not be walked to its end for each of them.
class UsageSearch {
 public:
  explicit UsageSearch(std::string_view json) : json_(json) {}

  std::string_view last() {
    std::size_t at = first_usage_name(json_);
    while (at < json_.size()) {
      const char c = json_[at];
      if (c == '"') {
        at = pass_string(at);
        continue;
      }
      if (c == '{') ++depth_;
      if (c == '}') close(at);
      ++at;
    }
    return found_;
  }

 private:
  struct Open {
    std::size_t name = 0;
    std::int64_t depth = 0;
  };

  // Behind the string that begins at `at`; notes a name that an object follows.
  std::size_t pass_string(std::size_t at) {
    std::size_t end = at + 1;
    while (end < json_.size() && json_[end] != '"') end += json_[end] == '\\' ? 2 : 1;
    ++end;
    if (!json_.substr(at).starts_with(kName)) return end;
    const std::size_t colon = skip_space(json_, end);
    if (colon >= json_.size() || json_[colon] != ':') return end;
    const std::size_t object = skip_space(json_, colon + 1);
    if (object < json_.size() && json_[object] == '{') open_.push_back({at, depth_});
    return end;
  }

  void close(std::size_t at) {
    --depth_;
    if (open_.empty() || open_.back().depth != depth_) return;
    const std::size_t name = open_.back().name;
    open_.pop_back();
    if (found_.empty() || json_.data() + name > found_.data()) found_ = json_.substr(name, at + 1 - name);
  }

  const std::string_view json_;
  std::int64_t depth_ = 0;
  std::vector<Open> open_;  // whose objects have not ended
  std::string_view found_;
};

}  // namespace

std::unique_ptr<UsageTap> make_usage_tap(const Format* format, const net::MessageHead& answer) {
  const std::string_view coding = answer.find(net::FieldId::kContentEncoding);
  if (format == nullptr || answer.status() >= 300 || (!coding.empty() && !iequals(coding, "identity"))) return nullptr;
  const std::string_view type = answer.find(net::FieldId::kContentType);
  const bool is_stream = istarts_with(type, "text/event-stream");
  if (!is_stream && !istarts_with(type, "application/json")) return nullptr;
  return std::make_unique<UsageTap>(*format, is_stream);
}

std::string_view last_usage_member(std::string_view json) { return UsageSearch(json).last(); }

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
