// first_event.hpp - the events in the beginning of a stream, which is read anew from where the last look ended.
#pragma once

#include <cstddef>
#include <string_view>

#include "llm/sse_reader.hpp"

namespace akr {

class FirstEvent {
 public:
  // `text` is all of the stream that came so far: it begins as in the call before, and is looked at once.  True as soon
  // as the first event that carries data is complete, or after next() the one behind it.
  bool scan(std::string_view text);
  // From now on the event behind this one is meant.  REQUIRES: scan() was true.
  void next() { found_ = false; }
  // REQUIRES: scan() was true.  Valid while the text of that call lives.
  SseEventView event() const { return reader_.event(); }

 private:
  SseReader reader_;
  std::size_t seen_ = 0;
  bool found_ = false;
};

}  // namespace akr
