// Keys that the fake provider refuses, each in its own way, and a wave in which it refuses them all; with the times at
// which each bad key was asked.  The key is the value of the request's X-Api-Key.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "report.hpp"

namespace akr::bench {

class KeyScript {
 public:
  // KEY:STATUS or KEY:STATUS:SECONDS, the latter with a Retry-After.  Anything else ends the program with status 2.
  void add_bad(std::string_view spec);
  // From now on every key gets this status; 0 ends it.
  void set_wave(int status);

  // The refusal for a request with this head; "" = the ordinary answer.  Counts it.
  std::string_view refusal(std::string_view head, std::int64_t now_ns);

  // One line per bad key, and for a wave one with the key "every": asked (all), together (asked less than 0.1 s after
  // the request before: the gateway may not yet have known that one's refusal), min_gap_s between the others (0 = there
  // were not two).
  void print() const;

 private:
  struct Refusing {
    int status = 0;
    std::string answer;
    std::uint64_t asked = 0;
    std::uint64_t together = 0;
    std::int64_t last_ns = 0;
    std::int64_t min_gap_ns = 0;
  };
  static std::string_view count(Refusing& refusing, std::int64_t now_ns);
  static void print(std::string_view key, const Refusing& refusing);

  std::map<std::string, Refusing, std::less<>> bad_;
  std::map<int, Refusing> waves_;  // by status; kept, because answers point into them
  Refusing* wave_ = nullptr;
};

}  // namespace akr::bench
