#include "proxy/answer/usage_count.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace akr {
namespace {

constexpr std::size_t kMostKept = 64 * 1024;

std::size_t skip_space(std::string_view json, std::size_t at) {
  return std::min(json.find_first_not_of(" \t\r\n", at), json.size());
}

// Where such a member begins for certain: its quote is no escaped one.  npos if there is none.
std::size_t first_usage_name(std::string_view json, std::string_view name) {
  std::size_t at = json.find(name, 1);
  while (at != std::string_view::npos && json[at - 1] == '\\') at = json.find(name, at + 1);
  return at;
}

// One walk from the first such name on, outside of strings from there: an answer full of names whose objects are cut
// must not be walked to its end for each of them.
class UsageSearch {
 public:
  UsageSearch(std::string_view json, std::string_view name) : json_(json), name_(name) {}

  std::string_view last() {
    std::size_t at = first_usage_name(json_, name_);
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
    if (!json_.substr(at).starts_with(name_)) return end;
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
  const std::string_view name_;
  std::int64_t depth_ = 0;
  std::vector<Open> open_;  // whose objects have not ended
  std::string_view found_;
};

}  // namespace

std::string_view last_usage_member(std::string_view json, std::string_view name) {
  return UsageSearch(json, name).last();
}

void UsageCount::see_event(const SseEventView& event, bool cut) {
  const std::string_view clue = dialect_.usage_clue();
  if (cut || ::memmem(event.data.data(), event.data.size(), clue.data(), clue.size()) == nullptr) return;
  dialect_.read_usage(event.data, usage_);
}

void UsageCount::see_piece(std::string_view json) {
  text_ += json;
  if (text_.size() <= 2 * kMostKept) return;
  text_.erase(0, text_.size() - kMostKept);
  cut_ = true;
}

std::optional<std::uint64_t> UsageCount::total() {
  if (!cut_) {
    if (!text_.empty()) dialect_.read_usage(text_, usage_);
  } else if (const std::string_view member = last_usage_member(text_, dialect_.usage_clue()); !member.empty()) {
    dialect_.read_usage("{" + std::string(member) + "}", usage_);
  }
  return usage_.sum();
}

}  // namespace akr
