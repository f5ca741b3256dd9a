// sse_reader.hpp - the one reader of server-sent events (WHATWG HTML), for whoever looks at a stream: it arrives in
// pieces of any size and comes out as events.  Comments, empty events and fields that nobody asks for are passed over.
//
// Events that lie whole in one piece are views into it; only what a piece cuts is copied.  One stream, one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace akr {

// One server-sent event, already framed.
struct SseEventView {
  std::string_view event = {};  // the event: line, "" if there was none
  std::string_view data = {};   // the data: lines, joined by '\n'
};

class SseReader {
 public:
  static constexpr std::size_t kMostKept = 64 * 1024;  // of a line, and of the data of one event

  // Takes bytes from the front of `input` until an event with data is complete: then true, and the rest stays in
  // `input` for the next call.  False: all of it was taken.
  bool next(std::string_view& input);
  // The stream is over.  True: its last lines are an event that no empty line ended.
  bool finish();
  // REQUIRES: the last call was true.  Valid until the next one, and while the bytes live that were given to it.
  SseEventView event() const { return {event_, data_}; }
  // The data was longer than kMostKept: event() holds its beginning.
  bool cut() const { return cut_; }

 private:
  bool take_line(std::string_view line, bool own);
  void take_data(std::string_view value, bool own);
  void keep_views();
  void keep_rest(std::string_view rest);
  void begin_event();

  bool begun_ = false;     // bytes were seen: no byte order mark any more
  bool after_cr_ = false;  // a line feed that follows belongs to the line before
  bool complete_ = false;  // event() was told: it is over with the next call
  bool has_data_ = false;
  bool cut_ = false;
  bool line_cut_ = false;
  std::string_view event_;  // of `input`, or of event_text_
  std::string_view data_;   // of `input`, or of data_text_
  std::string event_text_;
  std::string data_text_;
  std::string line_;  // the beginning of a line whose end has not come
};

}  // namespace akr
