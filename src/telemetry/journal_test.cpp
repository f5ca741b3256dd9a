#include "telemetry/journal.hpp"

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/strings.hpp"
#include "base/utf8.hpp"

namespace akr {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

const WallTime kTime(milliseconds(1'795'000'000'042));

RequestRecord example() {
  RequestRecord record;
  record.id = "req-1";
  record.client_ip = "10.0.0.1";
  record.access_key = "0a1b2c3d";
  record.service_id = 7;
  record.service = "chat";
  record.method = "POST";
  record.path = "/proxy/chat/a";
  record.status = 200;
  record.source = AnswerSource::kUpstream;
  record.key = "ffee0011";
  record.outcome = "ok";
  record.attempts = 2;
  record.bytes_in = 12;
  record.bytes_out = 34;
  record.total = microseconds(12'345);
  record.upstream = microseconds(12'000);
  record.overhead = microseconds(45);
  return record;
}

// A pipe and what was written to it.
class Reader {
 public:
  Reader() {
    EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0);
    thread_ = std::thread([this] {
      char bytes[65536];
      ssize_t got = 0;
      while ((got = ::read(ends_[0], bytes, sizeof bytes)) > 0) text_.append(bytes, static_cast<std::size_t>(got));
    });
  }
  ~Reader() {
    finish();
    ::close(ends_[0]);
  }
  int fd() const { return ends_[1]; }
  const std::string& finish() {
    if (thread_.joinable()) {
      ::close(ends_[1]);
      thread_.join();
    }
    return text_;
  }

 private:
  int ends_[2] = {-1, -1};
  std::string text_;
  std::thread thread_;
};

std::string line_of(const RequestRecord& record) {
  Reader reader;
  {
    Journal journal(reader.fd());
    JournalPage page(&journal);
    page.add(record, kTime);
  }
  return reader.finish();
}

boost::json::object parsed(const RequestRecord& record) { return boost::json::parse(line_of(record)).as_object(); }

TEST(Journal, WritesOneObjectPerRequest) {
  EXPECT_EQ(
      line_of(example()),
      R"({"time":"2026-11-18T11:06:40.042Z","id":"req-1","client":"10.0.0.1","access_key":"0a1b2c3d","service":"chat",)"
      R"("method":"POST","path":"/proxy/chat/a","status":200,"source":"upstream","key":"ffee0011","outcome":"ok",)"
      R"("attempts":2,"bytes_in":12,"bytes_out":34,"total_ms":12.345,"upstream_ms":12.000,"overhead_ms":0.045})"
      "\n");
}

TEST(Journal, NamesErrorsAndCuts) {
  RequestRecord record = example();
  record.source = AnswerSource::kGateway;
  record.status = 504;
  record.error = "upstream_timeout";
  record.detail = "timer 'first_byte' of 30 s fired";
  record.streamed = record.cut = true;
  const auto line = parsed(record);
  EXPECT_EQ(line.at("source").as_string(), "gateway");
  EXPECT_EQ(line.at("error").as_string(), "upstream_timeout");
  EXPECT_EQ(line.at("detail").as_string(), "timer 'first_byte' of 30 s fired");
  EXPECT_TRUE(line.at("stream").as_bool());
  EXPECT_TRUE(line.at("cut").as_bool());
}

TEST(Journal, LeavesOutWhatThereIsNot) {
  RequestRecord record;
  record.status = 400;
  const auto line = parsed(record);
  for (const char* name :
       {"access_key", "service", "served_by", "error", "detail", "key", "outcome", "stream", "cut"}) {
    EXPECT_FALSE(line.contains(name)) << name;
  }
}

TEST(Journal, NamesTheFallbackThatServed) {
  RequestRecord record = example();
  record.served_by = "spare";
  EXPECT_NE(line_of(record).find(R"("service":"chat","served_by":"spare","method")"), std::string::npos);
}

// reliability.md E-61: whatever a client sends, one request is one line of valid JSON.
TEST(Journal, EscapesEveryByte) {
  std::string path;
  for (int byte = 0; byte < 256; ++byte) path += static_cast<char>(byte);
  RequestRecord record = example();
  record.path = path;
  record.detail = "a\"b\\c\nd\r\n{\"status\":200}";
  const std::string line = line_of(record);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_TRUE(is_utf8(line));
  for (char c : line.substr(0, line.size() - 1)) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  const auto object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("status").as_int64(), 200);
  EXPECT_EQ(object.at("detail").as_string(), record.detail);
}

TEST(Journal, StampsFollowTheTime) {
  Reader reader;
  {
    Journal journal(reader.fd());
    JournalPage page(&journal);
    for (int ms : {0, 999, 1000, 61'001}) page.add(example(), WallTime(milliseconds(1'795'000'000'000 + ms)));
  }
  std::vector<std::string> stamps;
  for (std::string_view line : split(reader.finish(), '\n')) {
    if (!line.empty()) stamps.emplace_back(line.substr(9, 24));
  }
  EXPECT_EQ(stamps, (std::vector<std::string>{"2026-11-18T11:06:40.000Z", "2026-11-18T11:06:40.999Z",
                                              "2026-11-18T11:06:41.000Z", "2026-11-18T11:07:41.001Z"}));
}

TEST(Journal, ManyPagesOfManyWorkersStayWholeLines) {
  Reader reader;
  constexpr int kLines = 2000;
  {
    Journal journal(reader.fd());
    std::vector<std::thread> workers;
    for (int i = 0; i < 4; ++i) {
      workers.emplace_back([&] {
        JournalPage page(&journal);
        for (int n = 0; n < kLines; ++n) page.add(example(), kTime);
      });
    }
    for (std::thread& worker : workers) worker.join();
    EXPECT_EQ(journal.dropped_lines(), 0U);
  }
  const std::string expected = line_of(example());
  std::size_t count = 0;
  for (std::string_view line : split(reader.finish(), '\n')) {
    if (line.empty()) continue;
    ++count;
    ASSERT_EQ(line, expected.substr(0, expected.size() - 1));
  }
  EXPECT_EQ(count, 4U * kLines);
}

TEST(Journal, DropsAndCountsWhenItsReaderStands) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  std::uint64_t submitted = 0;
  std::uint64_t dropped = 0;
  std::string text;
  std::thread reader;
  {
    Journal journal(ends[1]);
    for (; dropped == 0 && submitted < 1'000'000; ++submitted) {
      std::string page = std::string(1000, 'x') + '\n';
      journal.submit(page);  // never waits, though nobody reads
      dropped = journal.dropped_lines();
    }
    EXPECT_EQ(dropped, 1U);
    EXPECT_GT(submitted, 256U);
    reader = std::thread([&] {
      char bytes[65536];
      ssize_t got = 0;
      while ((got = ::read(ends[0], bytes, sizeof bytes)) > 0) text.append(bytes, static_cast<std::size_t>(got));
    });
  }
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  // All that was accepted is written, whole, before the journal ends.
  EXPECT_EQ(text.size(), (submitted - dropped) * 1001);
}

TEST(Journal, AClosedReaderStopsNothing) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  std::signal(SIGPIPE, SIG_IGN);
  {
    Journal journal(ends[1]);
    JournalPage page(&journal);
    for (int i = 0; i < 1000; ++i) page.add(example(), kTime);
  }
  ::close(ends[1]);
}

TEST(Journal, OffMeansNothing) {
  JournalPage page(nullptr);
  page.add(example(), kTime);
  page.flush();
}

}  // namespace
}  // namespace akr
