// log_writer.hpp - writes texts to a descriptor from a thread of its own, so that nobody ever waits for its reader: not
// whoever logs, and not the end of the process.
//
// A reader may stand still for ever (a stopped pager, a full pipe).  Then texts are dropped and counted, and at the end
// the thread is left behind in its write(2), which ends with the process; O_NONBLOCK is not set, because the
// description is shared with other processes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace akr {

// From now on whoever ends a log waits for its reader until `due` says so, and a moment more; it is asked every few
// milliseconds, on the thread that ends the log.  Before the first call: until nothing was read for a second.
void end_logs_when(std::function<bool()> due);

class LogWriter {
 public:
  // `fd` is not owned.  At most `most` texts wait.
  LogWriter(int fd, std::size_t most);
  ~LogWriter();  // end()
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Takes whole lines.  Any thread; never waits for the reader: what does not fit is dropped.
  void submit(std::string text);
  // Counts the lines of a text that could not even be submitted.  Any thread.
  void drop(std::string_view text);
  // Lines that nobody will read.  Any thread.
  std::uint64_t dropped_lines() const;
  // Writes what waits, as long as end_logs_when() allows; the rest is dropped.  Nothing may be submitted any more.
  void end();

 private:
  struct State;
  std::shared_ptr<State> state_;  // the thread's too: it may outlive us
};

// Writes `text` as long as that needs no wait for the reader longer than `most` in all.  False: a part is missing.  For
// single lines where there is no LogWriter (yet, or any more).
bool write_patiently(int fd, std::string_view text, Duration most);

}  // namespace akr
