#include "key_script.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace akr::bench {
namespace {

constexpr std::int64_t kTogetherNs = 100'000'000;
constexpr double kNsPerSecond = 1e9;
constexpr std::string_view kKeyField = "\r\nX-Api-Key: ";

std::string make_refusal(int status, std::string_view retry_after) {
  const std::string body = R"({"error":{"message":"This key is refused.","type":"scripted","code":null}})";
  std::string answer = "HTTP/1.1 " + std::to_string(status) +
                       " Refused\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\n";
  if (!retry_after.empty()) answer += "Retry-After: " + std::string(retry_after) + "\r\n";
  return answer + "\r\n" + body;
}

}  // namespace

void KeyScript::add_bad(std::string_view spec) {
  const auto first = spec.find(':');
  const auto second = spec.find(':', std::min(first, spec.size() - 1) + 1);
  const std::string status(first == std::string_view::npos ? "" : spec.substr(first + 1, second - first - 1));
  Refusing bad;
  bad.status = std::atoi(status.c_str());
  if (bad.status < 400) {
    std::fprintf(stderr, "bench: --bad is KEY:STATUS or KEY:STATUS:SECONDS\n");
    std::exit(2);
  }
  bad.answer = make_refusal(bad.status, second == std::string_view::npos ? "" : spec.substr(second + 1));
  bad_.emplace(spec.substr(0, first), std::move(bad));
}

void KeyScript::set_wave(int status) {
  wave_ = nullptr;
  if (status == 0) return;
  wave_ = &waves_[status];
  wave_->status = status;
  if (wave_->answer.empty()) wave_->answer = make_refusal(status, "");
}

std::string_view KeyScript::refusal(std::string_view head, std::int64_t now_ns) {
  if (wave_ != nullptr) return count(*wave_, now_ns);
  if (bad_.empty()) return {};
  const auto at = head.find(kKeyField);
  if (at == std::string_view::npos) return {};
  const auto value = head.substr(at + kKeyField.size());
  const auto found = bad_.find(value.substr(0, value.find('\r')));
  return found == bad_.end() ? std::string_view() : count(found->second, now_ns);
}

std::string_view KeyScript::count(Refusing& refusing, std::int64_t now_ns) {
  const std::int64_t gap = refusing.asked == 0 ? 0 : now_ns - refusing.last_ns;
  if (refusing.asked > 0 && gap < kTogetherNs) ++refusing.together;
  if (gap >= kTogetherNs) refusing.min_gap_ns = refusing.min_gap_ns == 0 ? gap : std::min(refusing.min_gap_ns, gap);
  ++refusing.asked;
  refusing.last_ns = now_ns;
  return refusing.answer;
}

void KeyScript::print() const {
  for (const auto& [key, refusing] : bad_) print(key, refusing);
  for (const auto& [status, refusing] : waves_) print("every", refusing);
}

void KeyScript::print(std::string_view key, const Refusing& refusing) {
  Report line;
  line.add("key", key);
  line.add("status", static_cast<std::uint64_t>(refusing.status));
  line.add("asked", refusing.asked);
  line.add("together", refusing.together);
  line.add("min_gap_s", static_cast<double>(refusing.min_gap_ns) / kNsPerSecond);
  line.print();
}

}  // namespace akr::bench
