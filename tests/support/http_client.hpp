// http_client.hpp - a blocking HTTP/1.1 client for tests, with a parser of its own: what it reads is under test.
//
// Every wait has a deadline (kPatience), so that a test that fails still ends.
#pragma once

#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strings.hpp"
#include "tests/support/tcp_server.hpp"

namespace akr::test {

struct HttpAnswer {
  int status = 0;                                           // 0: no complete head came
  std::string head;                                         // up to and with the empty line
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  std::string body;
  bool complete = false;  // the body ended as its framing says

  std::string field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
      if (key == name) return value;
    }
    return "";
  }
  std::size_t count(std::string_view name) const {
    std::size_t found = 0;
    for (const auto& entry : fields) found += entry.first == name ? 1 : 0;
    return found;
  }
};

class HttpClient {
 public:
  static constexpr std::chrono::milliseconds kPatience{20'000};

  explicit HttpClient(std::uint16_t port) : fd_(connect_to_loopback(port)) {}
  HttpClient(HttpClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)), read_(std::move(other.read_)) {}
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient() { close(); }

  void send(std::string_view bytes) { send_all(fd_, bytes); }
  HttpAnswer ask(std::string_view request, bool head_request = false) {
    send(request);
    return receive(head_request);
  }

  // The next answer, interim ones included.
  HttpAnswer receive(bool head_request = false) {
    HttpAnswer answer = receive_head();
    if (answer.status == 0) return answer;
    const bool bodiless = head_request || answer.status < 200 || answer.status == 204 || answer.status == 304;
    if (bodiless) {
      answer.complete = true;
    } else if (answer.field("transfer-encoding") == "chunked") {
      answer.complete = receive_chunks(answer.body);
    } else if (answer.count("content-length") == 1) {
      const auto size = static_cast<std::size_t>(std::strtoull(answer.field("content-length").c_str(), nullptr, 10));
      answer.complete = take(size, answer.body);
    } else {
      while (fill()) {
      }
      answer.complete = clean_end_;
      answer.body = std::exchange(read_, "");
    }
    return answer;
  }

  HttpAnswer receive_head() {
    HttpAnswer answer;
    if (!take_until("\r\n\r\n", answer.head)) return answer;
    if (answer.head.size() > 12) answer.status = std::atoi(answer.head.c_str() + 9);  // NOLINT(cert-err34-c)
    for (std::string_view line : split(answer.head, '\n')) {
      const auto colon = line.find(':');
      if (colon == std::string_view::npos || line.starts_with("HTTP/")) continue;
      answer.fields.emplace_back(to_lower(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
    }
    return answer;
  }

  // Up to and with `end`; false if the other side ends before.
  bool take_until(std::string_view end, std::string& out) {
    std::size_t at = 0;
    while ((at = read_.find(end)) == std::string::npos) {
      if (!fill()) return false;
    }
    out = read_.substr(0, at + end.size());
    read_.erase(0, at + end.size());
    return true;
  }
  bool take(std::size_t size, std::string& out) {
    while (read_.size() < size) {
      if (!fill()) break;
    }
    out = read_.substr(0, size);
    read_.erase(0, out.size());
    return out.size() == size;
  }
  // Whether the other side closes (or resets) within `limit`; what it still sends is thrown away.
  bool closes(std::chrono::milliseconds limit = kPatience) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!ended_ && std::chrono::steady_clock::now() < deadline) {
      fill(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()));
    }
    return ended_;
  }
  // Everything until the other side ends.
  std::string rest() {
    while (fill()) {
    }
    return std::exchange(read_, "");
  }
  bool ended_cleanly() const { return ended_ && clean_end_; }  // FIN, not RST

  void half_close() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger now = {.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int fd() const { return fd_; }

 private:
  bool receive_chunks(std::string& body) {
    for (;;) {
      std::string line;
      if (!take_until("\r\n", line)) return false;
      const auto size = static_cast<std::size_t>(std::strtoull(line.c_str(), nullptr, 16));
      std::string chunk;
      if (!take(size + 2, chunk)) {
        body += chunk;
        return false;
      }
      body.append(chunk, 0, size);
      if (size == 0) return true;
    }
  }
  bool fill(std::chrono::milliseconds limit = kPatience) {
    if (ended_ || fd_ < 0) return false;
    pollfd ready = {.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(limit.count())) <= 0) return false;
    char bytes[16384];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got > 0) {
      read_.append(bytes, static_cast<std::size_t>(got));
      return true;
    }
    ended_ = true;
    clean_end_ = got == 0;
    return false;
  }

  int fd_ = -1;
  std::string read_;
  bool ended_ = false;
  bool clean_end_ = false;
};

// Asks `done` until it is true or `limit` has passed.
template <class Done>
bool eventually(Done done, std::chrono::milliseconds limit = HttpClient::kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace akr::test
