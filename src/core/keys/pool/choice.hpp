// choice.hpp - one selection under way: what it found out, and the keys that it keeps out of its own sight.  Lives on
// the stack of whoever selects.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/keys/key_state.hpp"
#include "core/keys/pool/model_waits.hpp"
#include "core/keys/pool/pool_tables.hpp"

namespace akr {

// Does a usable key fit this one request?
struct Fit {
  bool enough_tokens = true;  // false: what is left of its tpm does not hold the request
  ModelHold model = {};       // of the key or of its group
  bool good() const { return enough_tokens && !model.holds; }
};

// Keys that left their tier for as long as one choice takes.  They come back when it is over.
class SetAside {
 public:
  explicit SetAside(PoolTables& tables) : tables_(tables) {}
  SetAside(const SetAside&) = delete;
  SetAside& operator=(const SetAside&) = delete;
  ~SetAside() { bring_back(); }

  std::size_t size() const { return size_; }
  void add(std::uint32_t slot);  // REQUIRES: it is ready
  void bring_back() {
    if (size_ != 0) join_all();
  }
  // Instead of bring_back(): each key finds its place as it left it, because policies that draw lots draw positions.
  void undo();

 private:
  struct Each {
    std::uint32_t slot;
    std::uint32_t position;  // in its ReadyKeys, before it left
  };
  // So that nothing is allocated; left as it is, because filling it would cost more than most choices.
  static constexpr std::size_t kRoom = 256;
  void join_all();
  Each& at(std::size_t i) { return i < kRoom ? first_[i] : more_[i - kRoom]; }

  PoolTables& tables_;
  std::size_t size_ = 0;
  std::array<Each, kRoom> first_;
  std::vector<Each> more_;  // of requests that tried hundreds of keys
};

struct Choice {
  explicit Choice(PoolTables& tables) : aside(tables) {}

  SelectTrace trace;    // its counts; the rest is told when the choice is made
  TimePoint soonest{};  // end of a wait for the model; TimePoint{} = none that a clock ends
  bool hope = false;    // a key waits for the model rather than lacks it
  SetAside aside;

  void passed_over(const Fit& fit) {
    if (!fit.enough_tokens) {
      ++trace.too_few_tokens;
      return;
    }
    if (trace.model_cooling++ == 0) trace.model_reason = fit.model.reason;
    hope = hope || !fit.model.hopeless;
    if (fit.model.by_clock) soonest = soonest == TimePoint{} ? fit.model.until : std::min(soonest, fit.model.until);
  }
};

}  // namespace akr
