#include "load_engine.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

namespace akr::bench {
namespace {

constexpr std::size_t kReadBlock = std::size_t{256} * 1024;
constexpr std::size_t kBodyBlock = std::size_t{256} * 1024;
constexpr char kBodyLetter = 'x';

}  // namespace

Engine::Engine(const sockaddr_in& target, RequestBytes request)
    : target_(target), request_(std::move(request)), first_piece_(request_.head), read_block_(kReadBlock) {
  if (request_.body_bytes <= kBodyBlock) {
    first_piece_.append(request_.body_bytes, kBodyLetter);
  } else {
    body_block_.assign(kBodyBlock, kBodyLetter);
  }
}

Connection* Engine::open() {
  auto& connection = connections_.emplace_back();
  if (reopen(connection)) return &connection;
  connections_.pop_back();
  return nullptr;
}

bool Engine::reopen(Connection& connection) {
  connection = Connection{};
  connection.fd = connect_to(target_);
  if (!connection.fd.is_open()) return false;
  epoll_.add(connection.fd.get(), EPOLLIN, &connection);
  return true;
}

void Engine::start_request(Connection& connection) {
  connection.reader.next();
  connection.unsent = request_.head.size() + request_.body_bytes;
  send_more(connection);
}

std::string_view Engine::next_piece(const Connection& connection) const {
  const auto sent = request_.head.size() + request_.body_bytes - connection.unsent;
  if (sent < first_piece_.size()) return std::string_view(first_piece_).substr(sent);
  return std::string_view(body_block_).substr(0, std::min<std::uint64_t>(connection.unsent, body_block_.size()));
}

void Engine::send_more(Connection& connection) {
  while (connection.unsent != 0) {
    const auto piece = next_piece(connection);
    const auto n = ::send(connection.fd.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
    // A broken connection is also readable (end or error): on_readable() reports it.
    if (n < 0) break;
    connection.unsent -= static_cast<std::uint64_t>(n);
  }
  const bool wanted = connection.unsent != 0;
  if (wanted == connection.waits_for_write) return;
  connection.waits_for_write = wanted;
  epoll_.change(connection.fd.get(), wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, &connection);
}

void Engine::on_readable(Mode& mode, Connection& connection) {
  const auto n = recv(connection.fd.get(), read_block_.data(), read_block_.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  auto state = ResponseReader::State::kBad;
  if (n > 0) state = connection.reader.feed({read_block_.data(), static_cast<std::size_t>(n)});
  switch (state) {
    case ResponseReader::State::kHead:
    case ResponseReader::State::kBody:
      return mode.on_progress(connection);
    case ResponseReader::State::kDone:
      return mode.on_response(connection);
    case ResponseReader::State::kBad:
      connection.fd.reset();
      return mode.on_failure(connection);
  }
}

void Engine::run(Mode& mode) {
  std::array<epoll_event, 512> events;
  while (!stop_requested()) {
    const auto wake_at = mode.on_time(now_ns());
    if (mode.finished()) return;
    for (const auto& event : epoll_.wait(events, wake_at)) {
      auto& connection = *static_cast<Connection*>(event.data.ptr);
      // Reopened while handling this batch means a stale event: reading it then finds nothing, which is harmless.
      if (connection.fd.is_open() && (event.events & EPOLLOUT) != 0) send_more(connection);
      if (connection.fd.is_open() && (event.events & ~EPOLLOUT) != 0) on_readable(mode, connection);
    }
  }
}

}  // namespace akr::bench
