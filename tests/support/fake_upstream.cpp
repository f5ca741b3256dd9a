#include "tests/support/fake_upstream.hpp"

#include <cstdlib>

#include <netinet/tcp.h>

#include "base/strings.hpp"
#include "tests/support/tcp_server.hpp"

namespace akr::test {
namespace {

std::string plain_answer(int status, std::string_view body, std::string_view fields) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\n" + std::string(fields);
  if (status != 204 && status != 304) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + std::string(body);
}

void parse_head(SeenRequest& request) {
  const auto lines = split(request.head, '\n');
  const auto words = split(trim(lines.front()), ' ');
  if (words.size() == 3) {
    request.method = words[0];
    request.target = words[1];
  }
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto colon = lines[i].find(':');
    if (colon == std::string_view::npos) continue;
    request.fields.emplace_back(to_lower(lines[i].substr(0, colon)), std::string(trim(lines[i].substr(colon + 1))));
  }
}

}  // namespace

// ---- SeenRequest

std::string SeenRequest::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return "";
}

std::size_t SeenRequest::count(std::string_view name) const {
  std::size_t found = 0;
  for (const auto& entry : fields) found += entry.first == name ? 1 : 0;
  return found;
}

// ---- UpstreamCall

bool UpstreamCall::fill() {
  char bytes[65536];
  const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  unread_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

bool UpstreamCall::take(std::size_t size, std::string& out) {
  while (unread_.size() < size) {
    if (!fill()) return false;
  }
  out.append(unread_, 0, size);
  unread_.erase(0, size);
  return true;
}

bool UpstreamCall::take_line(std::string& line) {
  std::size_t at = 0;
  while ((at = unread_.find("\r\n")) == std::string::npos) {
    if (!fill()) return false;
  }
  line = unread_.substr(0, at);
  unread_.erase(0, at + 2);
  return true;
}

bool UpstreamCall::read_body() {
  if (body_read_) return body_whole_;
  body_read_ = true;
  if (request_.field("transfer-encoding") != "chunked") {
    const auto size = static_cast<std::size_t>(std::strtoull(request_.field("content-length").c_str(), nullptr, 10));
    return body_whole_ = take(size, request_.body);
  }
  for (;;) {
    std::string line;
    if (!take_line(line)) return false;
    const auto size = static_cast<std::size_t>(std::strtoull(line.c_str(), nullptr, 16));
    if (!take(size, request_.body) || !take_line(line)) return false;
    if (size == 0) return body_whole_ = true;
  }
}

void UpstreamCall::send(std::string_view bytes) {
  upstream_.remember(*this);  // before: whoever has the answer may look
  // A copy: whoever reads the answer may end the test, and `bytes` with it, before send() has returned here.
  const std::string copy(bytes);
  send_all(fd_, copy);
}

void UpstreamCall::send_chunk(std::string_view bytes) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  send(size + std::string(bytes) + "\r\n");
}

void UpstreamCall::answer(int status, std::string_view body, std::string_view fields) {
  if (!read_body()) return close();
  send(plain_answer(status, request_.method == "HEAD" ? "" : body, fields));
}

void UpstreamCall::answer_early(int status, std::string_view body, std::string_view fields) {
  send(plain_answer(status, body, fields));
}

void UpstreamCall::reset() {
  const linger now = {.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ended_ = true;
}

bool UpstreamCall::wait_for_close(std::chrono::milliseconds limit) {
  ended_ = true;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!upstream_.stopping_) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready = {.fd = fd_, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
    char bytes[4096];
    if (::recv(fd_, bytes, sizeof bytes, 0) <= 0) return true;
  }
  return false;
}

std::string UpstreamCall::receive(std::size_t size) {
  if (unread_.empty() && !fill()) return "";
  std::string out = unread_.substr(0, size);
  unread_.erase(0, out.size());
  return out;
}

void UpstreamCall::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(upstream_.mutex_);
  upstream_.stopped_.wait_for(lock, time, [this] { return upstream_.stopping_.load(); });
}

// ---- FakeUpstream

FakeUpstream::FakeUpstream(Script script) : script_(std::move(script)) {
  listener_ = listen_on_loopback(256, port_);
  thread_ = std::thread([this] { accept_all(); });
}

FakeUpstream::~FakeUpstream() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  stopped_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

std::string FakeUpstream::url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

std::vector<SeenRequest> FakeUpstream::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

SeenRequest FakeUpstream::last() const {
  const std::lock_guard lock(mutex_);
  return seen_.at(seen_.size() - 1);
}

std::map<std::string, int> FakeUpstream::count_by(std::string_view field) const {
  const std::lock_guard lock(mutex_);
  if (field == "authorization") return by_authorization_;
  std::map<std::string, int> counts;
  for (const SeenRequest& request : seen_) ++counts[request.field(field)];
  return counts;
}

void FakeUpstream::accept_all() {
  std::vector<std::thread> threads;
  while (!stopping_) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) break;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    {
      const std::lock_guard lock(mutex_);
      open_.insert(fd);
      if (stopping_) ::shutdown(fd, SHUT_RDWR);
    }
    threads.emplace_back([this, fd, number = ++connections_] { serve(fd, number); });
  }
  for (std::thread& thread : threads) thread.join();
}

bool FakeUpstream::read_head(UpstreamCall& call) {
  std::size_t end = 0;
  while ((end = call.unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!call.fill()) return false;
  }
  call.request_.head = call.unread_.substr(0, end + 4);
  call.unread_.erase(0, end + 4);
  parse_head(call.request_);
  return true;
}

void FakeUpstream::remember(UpstreamCall& call) {
  if (std::exchange(call.remembered_, true)) return;
  const std::lock_guard lock(mutex_);
  if (keep_) seen_.push_back(call.request_);
}

void FakeUpstream::serve(int fd, int number) {
  std::string unread;
  for (bool open = true; open && !stopping_;) {
    SeenRequest request;
    request.connection = number;
    UpstreamCall call(*this, fd, request, unread);
    if (!read_head(call)) break;
    {
      const std::lock_guard lock(mutex_);
      ++by_authorization_[request.field("authorization")];
    }
    ++requests_;
    script_(call);
    open = !call.ended_;
    remember(call);
  }
  const std::lock_guard lock(mutex_);
  open_.erase(fd);
  ::close(fd);
}

}  // namespace akr::test
