#include "telemetry/journal.hpp"

#include <algorithm>
#include <cerrno>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

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

void Journal::drop(std::string_view page) {
  dropped_ += static_cast<std::uint64_t>(std::count(page.begin(), page.end(), '\n'));
}

void Journal::submit(std::string& page) {
  if (page.empty()) return;
  std::string taken;
  taken.reserve(page.capacity());
  taken.swap(page);
  {
    const std::lock_guard lock(mutex_);
    if (pages_.size() >= kMaxPages) {
      drop(taken);
      return;
    }
    pages_.push_back(std::move(taken));
  }
  ready_.notify_one();  // without the lock, which the writer needs first of all
}

void Journal::write_pages() {
  // A page that is ready shall not take the processor from a worker that shares it: one request in a hundred would
  // wait for the write.  A hint; the thread gets its fair share all the same.
  const sched_param fair = {};
  ::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &fair);
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
    stamp_ = format_rfc3339(time);
  }
  const auto rest = static_cast<int>(millis % 1000);
  stamp_[20] = static_cast<char>('0' + rest / 100);
  stamp_[21] = static_cast<char>('0' + rest / 10 % 10);
  stamp_[22] = static_cast<char>('0' + rest % 10);
  // Names, numbers and punctuation take under 512 bytes.
  const std::size_t texts = record.id.size() + record.client_ip.size() + record.service.size() +
                            record.served_by.size() + record.method.size() + record.path.size() + record.detail.size() +
                            record.outcome.size() + record.error.size();
  const std::size_t need = used_ + JsonLine::worst_case(texts) + 512;
  if (text_.size() < need + record.trace.size()) text_.resize(std::max(need + record.trace.size(), kPageBytes + 4096));
  char* at = write_line(record, text_.data() + used_);
  if (!record.trace.empty()) at = write_trace(record, at);
  used_ = static_cast<std::size_t>(at - text_.data());
  if (used_ >= kPageBytes) flush();
}

char* JournalPage::write_line(const RequestRecord& record, char* at) const {
  const auto micros = [](Duration d) { return static_cast<std::uint64_t>(d.count() > 0 ? d.count() / 1000 : 0); };
  JsonLine line(at);
  line.plain(R"("time":)", stamp_).plain(R"("id":)", record.id).text(R"("client":)", record.client_ip);
  if (!record.access_key.empty()) line.plain(R"("access_key":)", record.access_key);
  if (!record.service.empty()) line.text(R"("service":)", record.service);
  if (!record.served_by.empty()) line.text(R"("served_by":)", record.served_by);
  line.plain(R"("method":)", record.method).text(R"("path":)", record.path);
  line.number(R"("status":)", static_cast<std::uint64_t>(record.status));
  if (record.source == AnswerSource::kUpstream) {
    line.literal(R"("source":"upstream")");
  } else {
    line.literal(R"("source":"gateway")");
  }
  if (!record.error.empty()) line.plain(R"("error":)", record.error);
  if (!record.detail.empty()) line.text(R"("detail":)", record.detail);
  if (!record.key.empty()) line.plain(R"("key":)", record.key).plain(R"("outcome":)", record.outcome);
  line.number(R"("attempts":)", static_cast<std::uint64_t>(record.attempts));
  if (record.skipped > 0) line.number(R"("skipped":)", record.skipped);
  line.number(R"("bytes_in":)", record.bytes_in).number(R"("bytes_out":)", record.bytes_out);
  if (record.streamed) line.literal(R"("stream":true)");
  if (record.cut) line.literal(R"("cut":true)");
  line.millis(R"("total_ms":)", micros(record.total)).millis(R"("upstream_ms":)", micros(record.upstream));
  line.millis(R"("overhead_ms":)", micros(record.overhead));
  return line.end();
}

char* JournalPage::write_trace(const RequestRecord& record, char* at) const {
  JsonLine line(at);
  line.plain(R"("time":)", stamp_).plain(R"("id":)", record.id).json(R"("trace":)", record.trace);
  return line.end();
}

void JournalPage::flush() {
  if (journal_ == nullptr || used_ == 0) return;
  text_.resize(used_);
  used_ = 0;
  try {
    journal_->submit(text_);
  } catch (const std::bad_alloc&) {
    journal_->drop(text_);  // a destructor may have brought us here
  }
}

}  // namespace akr
