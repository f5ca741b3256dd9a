#include "process_usage.hpp"

#include <fstream>
#include <sstream>
#include <string>

#include <unistd.h>

namespace akr::bench {
namespace {

// Fields 14 and 15 of /proc/PID/stat (utime, stime), in clock ticks.  The name in field 2 may contain spaces, so
// counting starts after its closing parenthesis.
std::int64_t cpu_ticks(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream rest(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  rest >> user >> system;
  return user + system;
}

}  // namespace

std::int64_t cpu_microseconds(const std::vector<int>& pids) {
  std::int64_t ticks = 0;
  for (const int pid : pids) ticks += cpu_ticks(pid);
  return ticks * 1'000'000 / sysconf(_SC_CLK_TCK);
}

}  // namespace akr::bench
