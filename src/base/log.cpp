#include "base/log.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>

#include <boost/json.hpp>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/time_text.hpp"

namespace akr {
namespace {

constexpr std::size_t kQueueLines = 512;  // spdlog makes room for all of them at once, 400 bytes each

std::atomic<LogLevel> g_level{LogLevel::kInfo};
std::shared_ptr<spdlog::logger> g_logger;  // set by start_log before the workers start, cleared after they stopped

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

}  // namespace

void start_log(LogLevel level) {
  g_level = level;
  spdlog::init_thread_pool(kQueueLines, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  g_logger = std::make_shared<spdlog::async_logger>("akr", sink, spdlog::thread_pool(),
                                                    spdlog::async_overflow_policy::overrun_oldest);
  g_logger->set_pattern("%v");
  g_logger->flush_on(spdlog::level::trace);
}

void stop_log() {
  if (!g_logger) return;
  g_logger->flush();
  g_logger.reset();
  spdlog::shutdown();
}

void log_failure(std::string_view event, std::string_view what) noexcept {
  try {
    log_error(event, {{"what", what}});
  } catch (...) {
    char line[160];
    const int length =
        std::snprintf(line, sizeof line, "{\"level\":\"error\",\"event\":\"%.*s\",\"what\":\"no memory\"}\n",
                      static_cast<int>(std::min<std::size_t>(event.size(), 64)), event.data());
    if (length > 0) [[maybe_unused]]
      const ssize_t written = ::write(STDERR_FILENO, line, static_cast<std::size_t>(length));
  }
}

bool log_enabled(LogLevel level) { return level >= g_level.load(std::memory_order_relaxed); }

void log(LogLevel level, std::string_view event, LogFields fields) {
  if (!log_enabled(level)) return;
  boost::json::object line;
  line["time"] = format_rfc3339(system_clock().wall());
  line["level"] = level_name(level);
  line["event"] = event;
  for (const LogField& field : fields) {
    std::visit([&](const auto& value) { line[field.name] = value; }, field.value);
  }
  const std::string text = boost::json::serialize(line);
  if (g_logger) {
    g_logger->info("{}", text);
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
}

}  // namespace akr
