// journal.hpp - the access log: one JSON line per finished request on a descriptor, written in batches elsewhere.
//
// Each worker formats into its own JournalPage; full or old pages go to one writer thread through a bounded queue. When
// the reader of the descriptor is slower than the traffic, pages are dropped and counted; requests never wait.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/log_writer.hpp"
#include "telemetry/request_record.hpp"

namespace akr {

class Journal {
 public:
  explicit Journal(int fd) : writer_(fd, kMaxPages) {}  // not owned
  // Writes what is queued as long as end_logs_when() allows, and tells the log how much was dropped.
  ~Journal();
  // Takes the page's text and leaves it empty with its capacity replaced.  Any thread.
  void submit(std::string& page);
  void drop(std::string_view page) { writer_.drop(page); }  // only counts its lines; any thread
  std::uint64_t dropped_lines() const { return writer_.dropped_lines(); }

 private:
  static constexpr std::size_t kMaxPages = 256;
  LogWriter writer_;
};

// One worker's page.  Call flush() from a timer so that lines do not linger.
class JournalPage {
 public:
  explicit JournalPage(Journal* journal) : journal_(journal) {}  // nullptr = access log off
  ~JournalPage() { flush(); }
  void add(const RequestRecord& record, WallTime time);
  void flush();

 private:
  static constexpr std::size_t kPageBytes = 32'768;
  char* write_line(const RequestRecord& record, char* at) const;
  char* write_trace(const RequestRecord& record, char* at) const;  // a line of its own, found by the request's id
  Journal* journal_;
  std::string text_;          // whole lines
  std::string line_;          // room for one, which grows and is never cleared
  std::int64_t second_ = -1;  // the time's text is made once per second
  std::string stamp_;         // "2026-11-22T20:32:33.711Z"
};

}  // namespace akr
