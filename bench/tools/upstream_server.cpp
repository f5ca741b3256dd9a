#include "upstream_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <optional>

#include <sys/socket.h>

#include "http_head.hpp"
#include "upstream_answers.hpp"

namespace akr::bench {
namespace {

constexpr std::int64_t kSweepNs = 10'000'000;  // one coarse timer for all streams: events leave up to 10 ms late
constexpr std::size_t kReadBlock = std::size_t{256} * 1024;
constexpr std::uint64_t kDefaultBulkBytes = 1 << 20;
constexpr double kNsPerSecond = 1e9;
constexpr double kGoldenRatio = 0.6180339887498949;  // spreads the phases of any number of streams evenly

enum class Answer { kJson, kStream, kBulk, kRefusal, kLengthRequired };

}  // namespace

struct UpstreamServer::Connection {
  Fd fd;
  std::string partial_head;
  std::uint64_t request_body_left = 0;
  Answer pending = Answer::kJson;
  std::string_view refusal;  // set with kRefusal; owned by the script
  double stream_rate = 0;
  double stream_seconds = 0;
  std::uint64_t bulk_bytes = 0;

  std::string unsent;
  std::uint64_t bulk_left = 0;
  bool waits_for_write = false;

  bool streaming = false;
  std::int64_t interval_ns = 0;
  std::int64_t next_event_ns = 0;
  std::int64_t end_ns = 0;  // 0: never
};

UpstreamServer::UpstreamServer(const sockaddr_in& address, StreamDefaults defaults, KeyScript keys)
    : listener_(listen_on(address)), defaults_(defaults), keys_(std::move(keys)), block_(kReadBlock) {
  epoll_.add(listener_.get(), EPOLLIN, nullptr);
}

UpstreamServer::~UpstreamServer() = default;

std::uint16_t UpstreamServer::port() const { return local_port(listener_); }

void UpstreamServer::run() {
  std::array<epoll_event, 512> events;
  while (!stop_requested()) {
    for (const auto& event : epoll_.wait(events, streams_.empty() ? -1 : next_sweep_ns_)) {
      auto* connection = static_cast<Connection*>(event.data.ptr);
      if (connection == nullptr) {
        accept_all();
        continue;
      }
      if (connection->fd.is_open() && (event.events & EPOLLOUT) != 0) flush(*connection);
      if (connection->fd.is_open() && (event.events & ~EPOLLOUT) != 0) on_readable(*connection);
    }
    closed_.clear();
    if (streams_.empty()) continue;
    if (const auto now = now_ns(); now >= next_sweep_ns_) {
      send_due_events(now);
      next_sweep_ns_ = now + kSweepNs;
    }
  }
}

void UpstreamServer::accept_all() {
  for (Fd fd = accept_from(listener_); fd.is_open(); fd = accept_from(listener_)) {
    const int number = fd.get();
    auto connection = std::make_unique<Connection>();
    connection->fd = std::move(fd);
    epoll_.add(number, EPOLLIN, connection.get());
    connections_[number] = std::move(connection);
  }
}

void UpstreamServer::on_readable(Connection& connection) {
  const auto n = recv(connection.fd.get(), block_.data(), block_.size(), 0);
  if (n > 0) return consume(connection, {block_.data(), static_cast<std::size_t>(n)});
  if (n == 0 || (errno != EAGAIN && errno != EINTR)) close(connection);
}

void UpstreamServer::consume(Connection& connection, std::string_view data) {
  while (!data.empty() && connection.fd.is_open()) {
    if (connection.request_body_left == 0) {
      const auto before = connection.partial_head.size();
      if (before != 0) connection.partial_head += data;
      const std::string_view text = before != 0 ? std::string_view(connection.partial_head) : data;
      const auto head = parse_head(text);
      if (!head) {
        if (before == 0) connection.partial_head = data;
        return;
      }
      begin_request(connection, head->target, text.substr(0, head->size));
      if (head->chunked) connection.pending = Answer::kLengthRequired;
      connection.request_body_left = head->content_length;
      data.remove_prefix(head->size - before);
      connection.partial_head.clear();
    }
    const auto n = std::min<std::uint64_t>(connection.request_body_left, data.size());
    connection.request_body_left -= n;
    data.remove_prefix(n);
    if (connection.request_body_left == 0) answer(connection);
  }
}

void UpstreamServer::begin_request(Connection& connection, std::string_view target, std::string_view head) {
  ++totals_.requests;
  const auto path = target.substr(0, target.find('?'));
  if (path.find("/sse") != std::string_view::npos) {
    connection.pending = Answer::kStream;
    connection.stream_rate = query_number(target, "rate", defaults_.events_per_second);
    connection.stream_seconds = query_number(target, "seconds", defaults_.seconds);
  } else if (path.find("/bulk") != std::string_view::npos) {
    connection.pending = Answer::kBulk;
    connection.bulk_bytes = static_cast<std::uint64_t>(query_number(target, "bytes", kDefaultBulkBytes));
  } else if (path.find("/wave") != std::string_view::npos) {
    connection.pending = Answer::kJson;
    keys_.set_wave(static_cast<int>(query_number(target, "status", 0)));
  } else {
    connection.refusal = keys_.refusal(head, now_ns());
    connection.pending = connection.refusal.empty() ? Answer::kJson : Answer::kRefusal;
  }
}

void UpstreamServer::answer(Connection& connection) {
  switch (connection.pending) {
    case Answer::kJson:
      return send(connection, json_answer());
    case Answer::kStream:
      return answer_stream(connection);
    case Answer::kBulk:
      connection.bulk_left = connection.bulk_bytes;
      connection.unsent = bulk_head(connection.bulk_bytes);
      return flush(connection);
    case Answer::kRefusal:
      return send(connection, connection.refusal);
    case Answer::kLengthRequired:
      send(connection, length_required_answer());
      return close(connection);
  }
}

// The first event leaves with the head, as providers do; the next ones start at a phase of the stream's own, so that
// thousands of streams opened together do not all send in the same sweep.
void UpstreamServer::answer_stream(Connection& connection) {
  const auto now = now_ns();
  const double phase = std::fmod(static_cast<double>(totals_.requests) * kGoldenRatio, 1.0);
  connection.streaming = true;
  connection.interval_ns = static_cast<std::int64_t>(kNsPerSecond / std::max(connection.stream_rate, 1e-3));
  connection.next_event_ns = now + static_cast<std::int64_t>(phase * static_cast<double>(connection.interval_ns));
  connection.end_ns =
      connection.stream_seconds > 0 ? now + static_cast<std::int64_t>(connection.stream_seconds * kNsPerSecond) : 0;
  if (streams_.empty()) next_sweep_ns_ = now + kSweepNs;
  streams_.push_back(&connection);
  ++totals_.events;
  send(connection, std::string(stream_head()) + stream_chunk(now));
}

void UpstreamServer::send_due_events(std::int64_t now) {
  // By index and backwards: an ended stream leaves the list by swapping with the last one.
  for (std::size_t i = streams_.size(); i-- > 0;) {
    Connection& stream = *streams_[i];
    if (stream.end_ns != 0 && now >= stream.end_ns) {
      send(stream, stream_end());
      if (stream.fd.is_open()) end_stream(stream);
    } else if (now >= stream.next_event_ns) {
      send_event(stream, now);
    }
  }
  closed_.clear();
}

void UpstreamServer::send_event(Connection& stream, std::int64_t now) {
  stream.next_event_ns += stream.interval_ns;
  if (stream.next_event_ns < now) stream.next_event_ns = now + stream.interval_ns;  // never catch up in a burst
  if (!stream.unsent.empty()) {
    ++totals_.skipped_events;
    return;
  }
  ++totals_.events;
  send(stream, stream_chunk(now_ns()));
}

void UpstreamServer::send(Connection& connection, std::string_view data) {
  if (connection.unsent.empty()) {
    const auto n = ::send(connection.fd.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return close(connection);
    if (n > 0) data.remove_prefix(static_cast<std::size_t>(n));
  }
  if (data.empty()) return;
  connection.unsent += data;
  wait_for_write(connection, true);
}

// One block per wake-up, so that a fast download does not starve the other connections.
void UpstreamServer::flush(Connection& connection) {
  const bool from_bulk = connection.unsent.empty();
  const auto data = from_bulk
                        ? bulk_block().substr(0, std::min<std::uint64_t>(connection.bulk_left, bulk_block().size()))
                        : std::string_view(connection.unsent);
  if (data.empty()) return wait_for_write(connection, false);
  const int more = !from_bulk && connection.bulk_left != 0 ? MSG_MORE : 0;
  const auto n = ::send(connection.fd.get(), data.data(), data.size(), MSG_NOSIGNAL | more);
  if (n < 0 && errno != EAGAIN) return close(connection);
  if (n > 0 && from_bulk) connection.bulk_left -= static_cast<std::uint64_t>(n);
  if (n > 0 && !from_bulk) connection.unsent.erase(0, static_cast<std::size_t>(n));
  wait_for_write(connection, !connection.unsent.empty() || connection.bulk_left != 0);
}

void UpstreamServer::wait_for_write(Connection& connection, bool wanted) {
  if (connection.waits_for_write == wanted) return;
  connection.waits_for_write = wanted;
  epoll_.change(connection.fd.get(), wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, &connection);
}

void UpstreamServer::end_stream(Connection& connection) {
  connection.streaming = false;
  const auto at = std::find(streams_.begin(), streams_.end(), &connection);
  *at = streams_.back();
  streams_.pop_back();
}

void UpstreamServer::close(Connection& connection) {
  if (connection.streaming) end_stream(connection);
  const auto owner = connections_.find(connection.fd.get());
  connection.fd.reset();
  closed_.push_back(std::move(owner->second));
  connections_.erase(owner);
}

}  // namespace akr::bench
