// fake_upstream.hpp - an upstream whose every move is scripted: one thread per connection, keep-alive, blocking.
//
//   FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "hi"); });
//
// The script runs once per request, as soon as its head is there, on the connection's thread.  When it returns, the
// connection waits for the next request, unless the script closed or reset it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace akr::test {

struct SeenRequest {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  std::string head;                                         // as it came
  std::string body;    // as far as it was read when the script first sent something
  int connection = 0;  // number of the connection, from 1

  std::string field(std::string_view name) const;  // the first one; "" if absent
  std::size_t count(std::string_view name) const;
};

class FakeUpstream;

class UpstreamCall {
 public:
  UpstreamCall(FakeUpstream& upstream, int fd, SeenRequest& request, std::string& unread)
      : upstream_(upstream), fd_(fd), request_(request), unread_(unread) {}

  const SeenRequest& request() const { return request_; }
  // Reads the whole body; false if it was cut.
  bool read_body();
  // A complete answer with Content-Length, after the body was read.  `fields` are whole lines.
  void answer(int status, std::string_view body, std::string_view fields = {});
  // The same without waiting for the body.
  void answer_early(int status, std::string_view body, std::string_view fields = {});
  void send(std::string_view bytes);
  void send_chunk(std::string_view bytes);  // one chunk; "" = the last one
  void close() { ended_ = true; }           // FIN
  void reset();                             // RST
  // Waits until the other side closes or resets; false if it does not within `limit`.
  bool wait_for_close(std::chrono::milliseconds limit = std::chrono::seconds(20));
  // Waits for a byte behind the request and takes up to `size`; "" at the end.
  std::string receive(std::size_t size);
  // Waits, unless the upstream is being destroyed.
  void wait(std::chrono::milliseconds time);

 private:
  friend class FakeUpstream;
  bool fill();
  bool take(std::size_t size, std::string& out);
  bool take_line(std::string& line);

  FakeUpstream& upstream_;
  const int fd_;
  SeenRequest& request_;
  std::string& unread_;
  bool body_read_ = false;
  bool body_whole_ = false;
  bool ended_ = false;
  bool remembered_ = false;
};

class FakeUpstream {
 public:
  using Script = std::function<void(UpstreamCall&)>;

  explicit FakeUpstream(Script script);
  FakeUpstream(const FakeUpstream&) = delete;
  FakeUpstream& operator=(const FakeUpstream&) = delete;
  ~FakeUpstream();  // cuts what is open

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view path = "") const;
  int connections() const { return connections_; }
  int requests() const { return requests_; }
  std::vector<SeenRequest> seen() const;
  SeenRequest last() const;  // REQUIRES: there was one
  // Requests by the value of a field, as that of the key.
  std::map<std::string, int> count_by(std::string_view field) const;
  // Keep only the counts (many requests).
  void keep_no_requests() { keep_ = false; }
  bool stopping() const { return stopping_; }

 private:
  friend class UpstreamCall;
  void accept_all();
  void serve(int fd, int number);
  bool read_head(UpstreamCall& call);
  void remember(UpstreamCall& call);

  const Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> keep_{true};
  std::atomic<int> connections_{0};
  std::atomic<int> requests_{0};
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  std::set<int> open_;
  std::vector<SeenRequest> seen_;
  std::map<std::string, int> by_authorization_;
  std::thread thread_;
};

// A script that a test may exchange between requests; calls that run keep theirs.
class ChangingScript {
 public:
  ChangingScript& operator=(FakeUpstream::Script script) {
    auto next = std::make_shared<const FakeUpstream::Script>(std::move(script));
    const std::lock_guard lock(mutex_);
    script_ = std::move(next);
    return *this;
  }
  void operator()(UpstreamCall& call) const {
    std::shared_ptr<const FakeUpstream::Script> mine;
    {
      const std::lock_guard lock(mutex_);
      mine = script_;
    }
    (*mine)(call);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const FakeUpstream::Script> script_ =
      std::make_shared<const FakeUpstream::Script>([](UpstreamCall& call) { call.answer(200, "ok"); });
};

inline FakeUpstream::Script always(int status, std::string body = "ok", std::string fields = {}) {
  return [=](UpstreamCall& call) { call.answer(status, body, fields); };
}

}  // namespace akr::test
