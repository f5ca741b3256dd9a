// process_tree.hpp - what /proc says about processes that other processes started.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace akr::test {

struct ProcessState {
  char state = 0;  // as in /proc/PID/stat; 0: there is no such process
  pid_t parent = -1;
};

inline ProcessState look_at(const std::string& folder) {
  std::ifstream in(folder + "/stat");
  const std::string stat{std::istreambuf_iterator<char>(in), {}};
  const std::size_t name_end = stat.rfind(')');  // a name may hold anything
  if (name_end == std::string::npos) return {};
  return {stat[name_end + 2], static_cast<pid_t>(std::atoi(stat.c_str() + name_end + 4))};
}

inline ProcessState look_at(pid_t process) { return look_at("/proc/" + std::to_string(process)); }

// PostgreSQL's processes leave the group of the one that started them, so they are found by their parent.
inline std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t candidate = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    if (candidate > 0 && look_at(candidate).parent == process) children.push_back(candidate);
  }
  return children;
}

// Those are not ours to wait for; one that nobody has reaped yet holds nothing any more.
inline void wait_until_gone(pid_t process) {
  for (char state = 0; (state = look_at(process).state) != 0 && state != 'Z';) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// A signal is under way for a while, to each of the threads.
inline void wait_until_stopped(pid_t process) {
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task", gone)) {
    for (char state = 0; (state = look_at(thread.path()).state) != 0 && state != 'Z' && state != 'T';) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
}

}  // namespace akr::test
