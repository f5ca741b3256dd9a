#include "net/loop/worker.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.hpp"

namespace akr::net {
namespace {

// The root of a spawned coroutine: starts at once, owns itself.
struct Detached {
  struct promise_type {  // NOLINT(readability-identifier-naming): the language's name
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept {
      try {
        throw;
      } catch (const std::exception& failure) {
        log_failure("coroutine_failed", failure.what());
      } catch (...) {
        log_failure("coroutine_failed", "");
      }
    }
  };
};

Detached detach(Task<void> task) { co_await std::move(task); }

}  // namespace

Worker::Worker(int index)
    : index_(index), now_(std::chrono::steady_clock::now()), timers_(std::chrono::steady_clock::now()) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  alarm_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (epoll_ < 0 || wake_ < 0 || alarm_ < 0) {
    throw std::system_error(errno, std::generic_category(), "epoll, eventfd or timerfd");
  }
  epoll_event event = {.events = EPOLLIN, .data = {.ptr = nullptr}};  // nullptr = the wake-up descriptor
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  // Edge-triggered: an alarm that rang needs no read, setting it again is enough.
  epoll_event alarm = {.events = EPOLLIN | EPOLLET, .data = {.ptr = &alarm_}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, alarm_, &alarm);
}

Worker::~Worker() {
  ::close(alarm_);
  ::close(wake_);
  ::close(epoll_);
}

void Worker::run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    set_alarm();
    const bool busy = !soon_.empty() || lagging_ != nullptr;
    const int count = ::epoll_wait(epoll_, batch_.data(), kBatch, busy ? 0 : -1);
    ++turn_;
    refresh_now();
    if (now_ >= alarm_at_) alarm_at_ = TimePoint::max();  // it rang, or is about to
    dispatch(count < 0 ? 0 : count);
    timers_.advance(now_);
    run_soon();
    run_lagging();
  }
  run_posted();
  cancel_all();
}

// A timeout of epoll_wait() starts and stops a timer of the kernel in every turn, which in a virtual machine may be an
// exit to the host.  This one is touched only when a deadline comes before all others.
void Worker::set_alarm() {
  const TimePoint due = timers_.next_due();
  if (due >= alarm_at_) return;
  const auto at = due.time_since_epoch();
  const auto whole = std::chrono::floor<std::chrono::seconds>(at);
  itimerspec when = {};
  when.it_value.tv_sec = whole.count();
  when.it_value.tv_nsec = std::chrono::nanoseconds(at - whole).count();
  ::timerfd_settime(alarm_, TFD_TIMER_ABSTIME, &when, nullptr);
  alarm_at_ = due;
}

void Worker::dispatch(int count) {
  batch_size_ = count;
  batch_at_ = -1;
  // What was posted comes first: a new routing table must be here before a request that knows of it is handled.
  for (int i = 0; i < count; ++i) {
    if (batch_[static_cast<std::size_t>(i)].data.ptr == nullptr) run_posted();
  }
  for (batch_at_ = 0; batch_at_ < batch_size_; ++batch_at_) {
    const epoll_event& event = batch_[static_cast<std::size_t>(batch_at_)];
    // Closed earlier in this batch, or one of our own.
    if (event.events == 0 || event.data.ptr == nullptr || event.data.ptr == &alarm_) continue;
    try {
      static_cast<Socket*>(event.data.ptr)->on_event(event.events);
    } catch (const std::exception& failure) {
      log_failure("event_failed", failure.what());  // an edge is told once: the rest of the batch must still be handled
    }
  }
  batch_size_ = 0;
}

void Worker::run_posted() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t drained = ::read(wake_, &count, sizeof count);
  std::vector<std::function<void()>> functions;
  {
    const MutexLock lock(mutex_);
    functions.swap(posted_);
  }
  for (auto& function : functions) {
    try {
      function();
    } catch (const std::exception& failure) {
      log_failure("posted_work_failed", failure.what());  // the others, and the loop, go on
    }
  }
}

void Worker::run_soon() {
  // Only what is there now: a coroutine that yields again waits for the next turn, after the sockets had theirs.
  soon_running_.swap(soon_);
  for (std::coroutine_handle<> handle : soon_running_) handle.resume();
  soon_running_.clear();
}

void Worker::run_lagging() {
  // Those who lag since this turn wait for the next; they stand behind all others.
  const auto due = [this] { return lagging_ != nullptr && lagging_->lagging_since_ != turn_; };
  if (!due()) return;
  const TimePoint end = std::chrono::steady_clock::now() + kSlice;
  do {
    lagging_->waiter_->fire(WaitEnd::kReady);  // takes it off the list
  } while (due() && std::chrono::steady_clock::now() < end);
}

void Worker::add_lagging(Socket& socket) {
  socket.lagging_ = true;
  socket.lagging_since_ = turn_;
  socket.lag_prev_ = last_lagging_;
  (last_lagging_ != nullptr ? last_lagging_->lag_next_ : lagging_) = &socket;
  last_lagging_ = &socket;
}

void Worker::remove_lagging(Socket& socket) {
  (socket.lag_prev_ != nullptr ? socket.lag_prev_->lag_next_ : lagging_) = socket.lag_next_;
  (socket.lag_next_ != nullptr ? socket.lag_next_->lag_prev_ : last_lagging_) = socket.lag_prev_;
  socket.lag_prev_ = socket.lag_next_ = nullptr;
  socket.lagging_ = false;
}

void Worker::cancel_all() {
  // A cancelled coroutine may await once more on its way out (never on a closed socket), so repeat until quiet.
  for (int round = 0; round < 1000; ++round) {
    std::vector<Socket*> open;
    for (Socket* socket = sockets_; socket != nullptr; socket = socket->next_) open.push_back(socket);
    bool waiting = false;
    for (Socket* socket : open) waiting |= socket->waiter_ != nullptr;
    for (Socket* socket : open) socket->cancel();
    const bool slept = timers_.stop_all();
    if (!waiting && !slept && soon_.empty()) return;
    run_soon();
  }
}

void Worker::stop() {
  stopping_.store(true, std::memory_order_release);
  post([] {});
}

bool Worker::try_post(std::function<void()>& function) {
  const MutexLock lock(mutex_);
  try {
    posted_.push_back(std::move(function));
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Worker::post(std::function<void()> function) {
  while (!try_post(function)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

void Worker::spawn(Task<void> task) { detach(std::move(task)); }

void Worker::add(Socket& socket) {
  epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &socket}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket.fd_, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
  socket.next_ = sockets_;
  if (sockets_ != nullptr) sockets_->prev_ = &socket;
  sockets_ = &socket;
}

bool Worker::event_pending(const Socket& socket) const {
  for (int i = batch_at_ + 1; i < batch_size_; ++i) {
    const epoll_event& event = batch_[static_cast<std::size_t>(i)];
    if (event.events != 0 && event.data.ptr == &socket) return true;
  }
  return false;
}

void Worker::remove(Socket& socket) {
  if (socket.prev_ != nullptr) {
    socket.prev_->next_ = socket.next_;
  } else {
    sockets_ = socket.next_;
  }
  if (socket.next_ != nullptr) socket.next_->prev_ = socket.prev_;
  socket.prev_ = socket.next_ = nullptr;
  // Later events of this batch may point at the socket, which may be gone when their turn comes.
  for (int i = batch_at_ + 1; i < batch_size_; ++i) {
    epoll_event& event = batch_[static_cast<std::size_t>(i)];
    if (event.data.ptr == &socket) event.events = 0;
  }
}

}  // namespace akr::net
