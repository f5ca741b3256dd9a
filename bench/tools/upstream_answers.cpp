#include "upstream_answers.hpp"

#include <cstdio>

namespace akr::bench {
namespace {

constexpr std::size_t kJsonBytes = 870;
constexpr std::size_t kEventBytes = 120;
constexpr std::size_t kBulkBlockBytes = 1 << 20;

std::string make_json_body() {
  const std::string before =
      R"({"id":"chatcmpl-9xKqT2bVw7LrYhN4","object":"chat.completion","created":1718000000,"model":"gpt-4o-mini",)"
      R"("choices":[{"index":0,"message":{"role":"assistant","content":")";
  const std::string after =
      R"("},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":212,"completion_tokens":96,)"
      R"("total_tokens":308,"prompt_tokens_details":{"cached_tokens":0}},"system_fingerprint":"fp_44709d6fcb"})";
  const std::string_view words = "The answer depends on how many requests are in flight at the same time. ";
  std::string text;
  while (before.size() + text.size() + after.size() < kJsonBytes) text += words[text.size() % words.size()];
  return before + text + after;
}

std::string make_json_answer() {
  const std::string body = make_json_body();
  return "HTTP/1.1 200 OK\r\n"
         "Date: Mon, 10 Jun 2024 12:00:00 GMT\r\n"
         "Content-Type: application/json\r\n"
         "Content-Length: " +
         std::to_string(body.size()) +
         "\r\n"
         "Connection: keep-alive\r\n"
         "X-Request-Id: req_7c3f0a51b2d84e6f9a1c\r\n"
         "X-Ratelimit-Limit-Requests: 10000\r\n"
         "X-Ratelimit-Remaining-Requests: 9999\r\n"
         "Strict-Transport-Security: max-age=31536000\r\n"
         "\r\n" +
         body;
}

std::string make_stream_chunk() {
  const std::string before = R"(data: {"id":"chatcmpl-9xKqT2bVw7LrYhN4","choices":[{"index":0,"delta":{"content":")";
  const std::string after = "\"}}]}\n\n";
  std::string event = before + std::string(kEventBytes - before.size() - after.size(), 'w') + after;
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", event.size());
  return size + event + "\r\n";
}

}  // namespace

const std::string& json_answer() {
  static const std::string answer = make_json_answer();
  return answer;
}

std::string_view stream_head() {
  return "HTTP/1.1 200 OK\r\n"
         "Date: Mon, 10 Jun 2024 12:00:00 GMT\r\n"
         "Content-Type: text/event-stream\r\n"
         "Cache-Control: no-cache\r\n"
         "Connection: keep-alive\r\n"
         "X-Request-Id: req_7c3f0a51b2d84e6f9a1c\r\n"
         "Transfer-Encoding: chunked\r\n"
         "\r\n";
}

std::string stream_chunk(std::int64_t now_ns) {
  static const std::string pattern = make_stream_chunk();
  static const std::size_t at = pattern.find(kBeforeStamp) + kBeforeStamp.size();
  char stamp[kStampDigits + 1];
  std::snprintf(stamp, sizeof stamp, "%019lld", static_cast<long long>(now_ns));
  std::string chunk = pattern;
  return chunk.replace(at, kStampDigits, stamp, kStampDigits);
}

std::string_view stream_end() { return "0\r\n\r\n"; }

std::string bulk_head(std::uint64_t bytes) {
  return "HTTP/1.1 200 OK\r\n"
         "Date: Mon, 10 Jun 2024 12:00:00 GMT\r\n"
         "Content-Type: application/octet-stream\r\n"
         "Content-Length: " +
         std::to_string(bytes) +
         "\r\n"
         "Connection: keep-alive\r\n"
         "\r\n";
}

std::string_view bulk_block() {
  static const std::string block(kBulkBlockBytes, 'b');
  return block;
}

std::string_view length_required_answer() {
  return "HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}

}  // namespace akr::bench
