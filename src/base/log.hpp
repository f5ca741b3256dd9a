// log.hpp - the application log: one JSON object per line on stderr.  Not for requests (see telemetry/journal.hpp).
//
//   log_info("ready", {{"port", 8000}});     {"time":"…Z","level":"info","event":"ready","port":8000}
//
// Any thread; never blocks on a slow reader (log_writer.hpp: lines are dropped and counted).  Values are
// escaped.  Secrets cannot be passed: there is no conversion from Secret.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace akr {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

struct LogField {
  std::string_view name;
  std::variant<std::string, std::int64_t, double, bool> value;

  LogField(std::string_view n, std::string_view v) : name(n), value(std::string(v)) {}
  LogField(std::string_view n, const char* v) : name(n), value(std::string(v)) {}
  LogField(std::string_view n, const std::string& v) : name(n), value(v) {}
  LogField(std::string_view n, bool v) : name(n), value(v) {}
  LogField(std::string_view n, double v) : name(n), value(v) {}
  template <class Int>
    requires std::is_integral_v<Int>
  LogField(std::string_view n, Int v) : name(n), value(static_cast<std::int64_t>(v)) {}
};

using LogFields = std::initializer_list<LogField>;

// Starts the writer.  Before it, and after stop_log(), lines are written synchronously, with a second's patience for
// the reader.
void start_log(LogLevel level);
void stop_log();  // writes what waits as long as end_logs_when() allows, and tells how many lines were dropped
bool log_enabled(LogLevel level);

void log(LogLevel level, std::string_view event, LogFields fields = {});
// For those who caught an exception: never throws, and says so even if there is no memory left for a line.  `what` is
// left out then.
void log_failure(std::string_view event, std::string_view what) noexcept;
inline void log_debug(std::string_view event, LogFields fields = {}) { log(LogLevel::kDebug, event, fields); }
inline void log_info(std::string_view event, LogFields fields = {}) { log(LogLevel::kInfo, event, fields); }
inline void log_warn(std::string_view event, LogFields fields = {}) { log(LogLevel::kWarn, event, fields); }
inline void log_error(std::string_view event, LogFields fields = {}) { log(LogLevel::kError, event, fields); }

}  // namespace akr
