#include "base/log.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>

#include <boost/json.hpp>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/error_table.hpp"
#include "base/json_text.hpp"
#include "base/log_writer.hpp"
#include "base/time_text.hpp"

namespace akr {
namespace {

constexpr std::size_t kQueueLines = 512;
constexpr std::chrono::seconds kPatience{1};  // for a line without a writer

std::atomic<LogLevel> g_level{LogLevel::kInfo};
std::unique_ptr<LogWriter> g_writer;  // set by start_log before the workers start, cleared after they stopped

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

std::string line_of(LogLevel level, std::string_view event, LogFields fields) {
  boost::json::object line;
  line["time"] = format_rfc3339(system_clock().wall());
  line["level"] = level_name(level);
  line["event"] = event;
  for (const LogField& field : fields) {
    std::visit([&](const auto& value) { line[field.name] = value; }, field.value);
    if (const auto* text = std::get_if<std::string>(&field.value); text != nullptr && field.name == "message")
      line[field.name] = for_logs(*text);
  }
  return json_text(line) += '\n';
}

}  // namespace

void start_log(LogLevel level) {
  g_level = level;
  g_writer = std::make_unique<LogWriter>(STDERR_FILENO, kQueueLines);
}

void stop_log() {
  if (!g_writer) return;
  g_writer->end();
  const std::uint64_t lost = g_writer->dropped_lines();
  g_writer.reset();
  if (lost == 0) return;
  // Without a wait: whoever reads may be the one who stands still.
  write_patiently(STDERR_FILENO, line_of(LogLevel::kWarn, "log_lines_dropped", {{"lines", lost}}), Duration(0));
}

void log_failure(std::string_view event, std::string_view what) noexcept {
  try {
    log_error(event, {{"what", what}});
  } catch (...) {
    char line[160];
    const int length =
        std::snprintf(line, sizeof line, "{\"level\":\"error\",\"event\":\"%.*s\",\"what\":\"no memory\"}\n",
                      static_cast<int>(std::min<std::size_t>(event.size(), 64)), event.data());
    if (length > 0) write_patiently(STDERR_FILENO, {line, static_cast<std::size_t>(length)}, Duration(0));
  }
}

bool log_enabled(LogLevel level) { return level >= g_level.load(std::memory_order_relaxed); }

void log(LogLevel level, std::string_view event, LogFields fields) {
  if (!log_enabled(level)) return;
  std::string line = line_of(level, event, fields);
  if (g_writer) {
    g_writer->submit(std::move(line));
  } else {
    write_patiently(STDERR_FILENO, line, kPatience);
  }
}

}  // namespace akr
