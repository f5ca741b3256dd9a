#include "net/loop/socket.hpp"

#include <cerrno>
#include <cstring>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop/worker.hpp"

namespace akr::net {

namespace {

// A message header costs the kernel more than it costs us to put a few small pieces side by side.
constexpr std::size_t kWorthJoining = 4096;

bool worth_joining(const iovec* parts, int count) {
  std::size_t size = 0;
  for (int i = 0; i < count && size <= kWorthJoining; ++i) size += parts[i].iov_len;
  return size <= kWorthJoining;
}

ssize_t send_joined(int fd, const iovec* parts, int count) {
  char bytes[kWorthJoining];
  std::size_t size = 0;
  for (int i = 0; i < count; ++i) {
    std::memcpy(bytes + size, parts[i].iov_base, parts[i].iov_len);
    size += parts[i].iov_len;
  }
  return ::send(fd, bytes, size, MSG_NOSIGNAL);
}

ssize_t send_parts(int fd, const iovec* parts, int count) {
  if (count == 1) return ::send(fd, parts->iov_base, parts->iov_len, MSG_NOSIGNAL);
  if (worth_joining(parts, count)) return send_joined(fd, parts, count);
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(parts);  // NOLINT: sendmsg does not change it
  message.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace

void Waiter::watch(Socket& socket, std::uint8_t interest) {
  sockets_[sockets_[0] == nullptr ? 0 : 1] = &socket;
  socket.waiter_ = this;
  socket.interest_ = interest;
}

void Waiter::lag(Socket& socket) {
  lags_ = true;
  socket.refused_ = 0;
  socket.worker_->add_lagging(socket);
}

void Waiter::detach() {
  unlink();
  lags_ = false;
  for (Socket*& socket : sockets_) {
    if (socket == nullptr) continue;
    if (socket->lagging_) socket->worker_->remove_lagging(*socket);
    socket->waiter_ = nullptr;
    socket->interest_ = 0;
    socket = nullptr;
  }
}

void Waiter::fire(WaitEnd end) {
  detach();
  on_fire(end);
}

Socket::Socket(Worker& worker, int fd)
    : worker_(&worker),
      fd_(fd),
      ready_(kRead | kWrite),  // try first, wait only when the kernel says so
      turn_(worker.turn()) {
  try {
    worker.add(*this);
  } catch (...) {
    ::close(fd);  // it was given to us, and there is no destructor to come
    throw;
  }
}

void Socket::close() {
  if (fd_ < 0) return;
  worker_->remove(*this);
  ::close(fd_);
  fd_ = -1;
  refused_ = 0;
  cancel();
}

void Socket::close_reset() {
  if (fd_ < 0) return;
  const linger hard = {.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

void Socket::cancel() {
  if (waiter_ != nullptr) waiter_->fire(WaitEnd::kCancelled);
}

void Socket::on_event(std::uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    dead_ = true;
    ready_ |= kRead | kWrite | kHangup;
  }
  if ((events & EPOLLIN) != 0) ready_ |= kRead;
  if ((events & EPOLLOUT) != 0) ready_ |= kWrite;
  if ((events & EPOLLRDHUP) != 0) ready_ |= kRead | kHangup;
  if (waiter_ != nullptr && (ready_ & interest_) != 0 && !waiter_->lags_) waiter_->fire(WaitEnd::kReady);
}

// Lazy: most sockets never use a budget up, and need not know in which turn they are.
bool Socket::refill(std::uint8_t want) {
  if (turn_ == worker_->turn()) {
    stand_back(want);
    return false;
  }
  turn_ = worker_->turn();
  budget_ = cost::kTurn;
  return true;
}

IoResult Socket::try_read(char* data, std::size_t size) {
  if ((ready_ & kRead) == 0 || !may_work(kRead)) return {.status = IoStatus::kWouldBlock, .want = kRead};
  for (;;) {
    const ssize_t got = ::recv(fd_, data, size, 0);
    if (got > 0) {
      charge(cost::kOperation + got);
      // A short read drained the socket, unless an end of stream waits behind the bytes: its edge is spent already.
      if (static_cast<std::size_t>(got) < size && !hung_up()) clear_ready(kRead);
      return {.bytes = static_cast<std::size_t>(got)};
    }
    if (got == 0) return {.status = IoStatus::kEof};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      clear_ready(kRead);
      return {.status = IoStatus::kWouldBlock, .want = kRead};
    }
    return {.status = IoStatus::kError, .error = errno};
  }
}

bool Socket::quiet() const {
  char byte = 0;
  return !dead_ && !hung_up() && ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

IoResult Socket::try_write(const iovec* parts, int count) {
  if ((ready_ & kWrite) == 0 || !may_work(kWrite)) return {.status = IoStatus::kWouldBlock, .want = kWrite};
  for (;;) {
    const ssize_t sent = send_parts(fd_, parts, count);
    if (sent >= 0) {
      charge(cost::kOperation + sent);
      return {.bytes = static_cast<std::size_t>(sent)};
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      clear_ready(kWrite);
      return {.status = IoStatus::kWouldBlock, .want = kWrite};
    }
    return {.status = IoStatus::kError, .error = errno};
  }
}

bool WaitAwaiter::await_ready() {
  bool ready = false;
  std::uint8_t refused = 0;
  if (first_.socket != nullptr) {
    refused = first_.socket->refused_ & first_.interest;
    ready = !first_.socket->open() || (first_.socket->ready() & first_.interest) != 0;
  }
  if (second_.socket != nullptr) {
    refused |= second_.socket->refused_ & second_.interest;
    ready |= !second_.socket->open() || (second_.socket->ready() & second_.interest) != 0;
  }
  refused_ = refused != 0;
  return ready && !refused_ && deadline_ > worker_.now();
}

void WaitAwaiter::await_suspend(std::coroutine_handle<> handle) {
  handle_ = handle;
  if (refused_ || deadline_ <= worker_.now()) {
    suspend_otherwise();
  } else {
    if (first_.socket != nullptr) watch(*first_.socket, first_.interest);
    if (second_.socket != nullptr) watch(*second_.socket, second_.interest);
  }
  if (deadline_ != TimePoint::max()) worker_.timers().arm(*this, deadline_);
}

// Late: only the timer is left, in the next tick of the wheel, so that a loop that waits again does not spin.  Else it
// lags.
void WaitAwaiter::suspend_otherwise() {
  const bool late = deadline_ <= worker_.now();
  for (const Watch& wanted : {first_, second_}) {
    if (wanted.socket == nullptr) continue;
    watch(*wanted.socket, late ? std::uint8_t{0} : wanted.interest);
    if (!late && wanted.socket->refused(wanted.interest)) lag(*wanted.socket);
  }
}

void WaitAwaiter::on_fire(WaitEnd end) {
  end_ = end;
  // A cancel comes from inside another coroutine's close(): resume from the loop, not from there.
  if (end == WaitEnd::kCancelled) {
    worker_.resume_soon(handle_);
  } else {
    handle_.resume();
  }
}

WaitAwaiter sleep_until(Worker& worker, TimePoint deadline) { return WaitAwaiter(worker, {}, {}, deadline); }

}  // namespace akr::net
