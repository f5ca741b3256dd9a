// stream_judge.hpp - goes through the beginning of an event stream until one of its events decides what the stream is:
// an error, or content.  What comes before content (a role, a ping, "created") decides nothing: an error may follow.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "llm/dialect.hpp"
#include "net/http/content_decoder.hpp"
#include "proxy/attempt/first_event.hpp"
#include "upstream/judge.hpp"

namespace akr {

class StreamJudge {
 public:
  // `content_of`: the dialect whose content decides; nullptr: the first event does.  Head and dialect outlive it.
  StreamJudge(const Judge& judge, const net::MessageHead& answer, const Dialect* content_of);

  // `held` is all of the body that came so far, as it came: it begins as in the call before.  True: it is decided.
  bool scan(std::string_view held);
  // From the beginning again.
  void restart();

  bool saw_event() const { return saw_event_; }
  bool decided() const { return decided_; }
  // Why the stream is an error.  Valid once it is decided.
  const std::optional<Judgement>& bad() const { return bad_; }
  // The stream has ended with `held` (all of it, as for scan()), undecided: was there an event, and none with content?
  bool was_empty(std::string_view held);

 private:
  bool scan_text(std::string_view text);
  std::string_view decode(std::string_view held);

  const Judge judge_;
  const net::MessageHead& answer_;
  const Dialect* const content_of_;
  const net::ContentCodings codings_;
  FirstEvent events_;
  bool saw_event_ = false;
  bool decided_ = false;
  std::optional<Judgement> bad_;
  // Of a compressed stream: what came out so far, bounded.
  std::unique_ptr<net::ContentDecoder> decoder_;
  std::size_t taken_ = 0;
  std::string text_;
};

}  // namespace akr
