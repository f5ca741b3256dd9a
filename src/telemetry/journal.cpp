#include "telemetry/journal.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/time_text.hpp"
#include "telemetry/json_line.hpp"

namespace akr {

Journal::~Journal() {
  writer_.end();
  if (const std::uint64_t lost = dropped_lines(); lost > 0) log_warn("access_log_dropped", {{"lines", lost}});
}

void Journal::submit(std::string& page) {
  if (page.empty()) return;
  std::string taken;
  taken.reserve(page.capacity());
  taken.swap(page);
  writer_.submit(std::move(taken));
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
                            record.outcome.size() + record.error.size() + record.conversation.size();
  const std::size_t need = JsonLine::worst_case(texts) + 512 + record.trace.size();
  if (line_.size() < need) line_.resize(need);
  char* at = write_line(record, line_.data());
  if (!record.trace.empty()) at = write_trace(record, at);
  if (text_.empty()) text_.reserve(kPageBytes + 4096);
  text_.append(line_.data(), at);
  if (text_.size() >= kPageBytes) flush();
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
  if (!record.conversation.empty()) line.plain(R"("conversation":)", record.conversation);
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
  if (journal_ == nullptr || text_.empty()) return;
  try {
    journal_->submit(text_);
  } catch (const std::bad_alloc&) {
    journal_->drop(text_);  // a destructor may have brought us here
    text_.clear();
  }
}

}  // namespace akr
