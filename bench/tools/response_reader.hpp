// Reads one HTTP/1.1 response piece by piece and counts what arrives; it keeps no body.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace akr::bench {

class ResponseReader {
 public:
  enum class State { kHead, kBody, kDone, kBad };

  // Takes everything that was received.  Bytes after the end of the response make it kBad: nobody pipelines here.
  State feed(std::string_view data);

  // Ready for the next response on the same connection.  The totals of chunks and events continue.
  void next();

  State state() const { return state_; }
  int status() const { return status_; }
  bool close_after() const { return close_; }
  std::uint64_t body_bytes() const { return body_bytes_; }
  std::uint64_t chunks() const { return chunks_; }  // chunks as framed by the sender, the last empty one excluded
  std::uint64_t events() const { return events_; }  // empty lines in chunked bodies = server-sent events

  // How long each event was on its way (upstream_answers.hpp) goes there, in ns; one whose stamp comes in two reads is
  // left out.  nullptr: nowhere.  Outlives the reader.
  void tell_delays(std::vector<std::int64_t>* delays) { delays_ns_ = delays; }

 private:
  enum class Part { kLength, kSize, kData, kDataEnd, kTrailer };

  std::string_view take_head(std::string_view data);
  std::string_view take_plain(std::string_view data);
  std::string_view take_chunked(std::string_view data);
  void take_size_digit(char c);
  void finish_size_line();
  void count_events(std::string_view data);
  void note_delays(std::string_view data);

  State state_ = State::kHead;
  Part part_ = Part::kLength;
  int status_ = 0;
  bool close_ = false;
  char last_ = 0;  // last body byte seen: an empty line may be split between two reads
  bool trailer_line_empty_ = true;
  std::uint64_t left_ = 0;  // of the body, or of the current chunk
  std::uint64_t body_bytes_ = 0;
  std::uint64_t chunks_ = 0;
  std::uint64_t events_ = 0;
  std::vector<std::int64_t>* delays_ns_ = nullptr;
  std::string head_;  // only filled when a head arrives in several pieces
};

}  // namespace akr::bench
