// first_event.hpp - finds the first event that carries data, and those that follow it, in the beginning of an event
// stream (WHATWG HTML, server-sent events): comments, empty events and fields that we do not know are passed over.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "llm/format.hpp"

namespace akr {

class FirstEvent {
 public:
  // `text` is all of the stream that came so far: it begins as in the call before, and is looked at once.  True as soon
  // as the event is complete.
  bool scan(std::string_view text);
  // From now on the event behind this one is meant.  REQUIRES: scan() was true.
  void next();
  // REQUIRES: scan() was true.  Valid while this object lives.
  SseEventView event() const { return {event_, data_}; }

 private:
  bool take_line(std::string_view line);

  std::size_t line_ = 0;      // where the line begins that is not complete yet
  std::size_t searched_ = 0;  // no line ends before this
  bool after_cr_ = false;     // a line feed that follows belongs to the line before
  bool has_data_ = false;
  std::string event_;
  std::string data_;
};

}  // namespace akr
