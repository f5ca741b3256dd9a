#include "telemetry/journal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/time_text.hpp"
#include "telemetry/json_line.hpp"

namespace akr {

Journal::Journal(int fd) : fd_(fd), writer_([this] { write_pages(); }) {}

Journal::~Journal() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_one();
  writer_.join();
}

void Journal::submit(std::string& page) {
  if (page.empty()) return;
  std::string taken;
  taken.reserve(page.capacity());
  taken.swap(page);
  const std::lock_guard lock(mutex_);
  if (pages_.size() >= kMaxPages) {
    dropped_ += static_cast<std::uint64_t>(std::count(taken.begin(), taken.end(), '\n'));
    return;
  }
  pages_.push_back(std::move(taken));
  ready_.notify_one();
}

void Journal::write_pages() {
  std::vector<std::string> batch;
  for (bool stopping = false; !stopping;) {
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !pages_.empty(); });
      batch.swap(pages_);
      stopping = stopping_;
    }
    for (const std::string& page : batch) {
      std::string_view left = page;
      while (!left.empty()) {
        const ssize_t written = ::write(fd_, left.data(), left.size());
        if (written < 0 && errno != EINTR) break;  // a closed pipe or a full disk must not stop the gateway
        if (written > 0) left.remove_prefix(static_cast<std::size_t>(written));
      }
    }
    batch.clear();
  }
}

void JournalPage::add(const RequestRecord& record, WallTime time) {
  if (journal_ == nullptr) return;
  const std::int64_t millis = time.time_since_epoch().count();
  if (millis / 1000 != second_) {
    second_ = millis / 1000;
    second_text_ = format_rfc3339(time).substr(0, 20);  // "2026-11-22T20:32:33."
  }
  const auto rest = static_cast<int>(millis % 1000);
  char stamp[24];
  std::copy(second_text_.begin(), second_text_.end(), stamp);
  stamp[20] = static_cast<char>('0' + rest / 100);
  stamp[21] = static_cast<char>('0' + rest / 10 % 10);
  stamp[22] = static_cast<char>('0' + rest % 10);
  stamp[23] = 'Z';
  if (text_.capacity() < kPageBytes) text_.reserve(kPageBytes + 4096);
  JsonLine line(text_);
  line.text("time", {stamp, 24}).text("id", record.id).text("client", record.client_ip);
  if (!record.access_key.empty()) line.text("access_key", record.access_key);
  if (!record.service.empty()) line.text("service", record.service);
  line.text("method", record.method).text("path", record.path).number("status", record.status);
  line.text("source", record.source == AnswerSource::kUpstream ? "upstream" : "gateway");
  if (!record.error.empty()) line.text("error", record.error);
  if (!record.detail.empty()) line.text("detail", record.detail);
  if (!record.key.empty()) line.text("key", record.key).text("outcome", record.outcome);
  line.number("attempts", record.attempts);
  line.number("bytes_in", static_cast<std::int64_t>(record.bytes_in));
  line.number("bytes_out", static_cast<std::int64_t>(record.bytes_out));
  if (record.streamed) line.boolean("stream", true);
  if (record.cut) line.boolean("cut", true);
  const auto micros = [](Duration d) { return std::chrono::duration_cast<std::chrono::microseconds>(d).count(); };
  line.millis("total_ms", micros(record.total)).millis("upstream_ms", micros(record.upstream));
  line.millis("overhead_ms", micros(record.overhead)).end();
  if (text_.size() >= kPageBytes) flush();
}

void JournalPage::flush() {
  if (journal_ != nullptr) journal_->submit(text_);
}

}  // namespace akr
