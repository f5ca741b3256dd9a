// answer_watcher.hpp - somebody who wants to know something of good answers as they go down (answer_tap.hpp).
#pragma once

#include <string_view>

#include "llm/sse_reader.hpp"

namespace akr {

// A body is told either in events or in pieces, in order.
class AnswerWatcher {
 public:
  virtual ~AnswerWatcher() = default;
  // `cut`: only the beginning of its data is there.
  virtual void see_event(const SseEventView& event, bool cut) = 0;
  virtual void see_piece(std::string_view json) = 0;
  // Nothing more is of interest.
  virtual bool done() const = 0;
};

}  // namespace akr
