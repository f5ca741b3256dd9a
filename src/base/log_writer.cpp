#include "base/log_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

namespace akr {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{10};
constexpr milliseconds kLastMoment{200};  // for a reader that only needs its turn
constexpr std::chrono::seconds kPatience{1};

std::function<bool()> g_due;  // set and asked by the thread that ends the process

// Only for texts that are dropped: what is written is never counted.
std::uint64_t lines_in(std::string_view text) {
  std::uint64_t count = 0;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1)) ++count;
  return count;
}

}  // namespace

void end_logs_when(std::function<bool()> due) { g_due = std::move(due); }

struct LogWriter::State {
  State(int descriptor, std::size_t limit) : fd(descriptor), most(limit) {}

  void run();
  bool write(std::string_view text);
  bool left_behind();

  const int fd;
  const std::size_t most;
  std::mutex mutex;
  std::condition_variable ready;  // texts, or stopping
  std::condition_variable done;   // finished
  std::vector<std::string> texts;
  std::vector<std::string> batch;  // that the thread has taken; only read while it writes
  std::size_t finished_texts = 0;  // of them
  std::uint64_t progress = 0;      // texts done
  std::uint64_t dropped = 0;
  bool stopping = false;
  bool finished = false;
  bool abandoned = false;
  std::thread thread;
};

void LogWriter::State::run() {
  // A text that is ready shall not take the processor from a worker that shares it: one request in a hundred would wait
  // for the write.  A hint; the thread gets its fair share all the same.
  const sched_param fair = {};
  ::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &fair);
  for (bool last = false; !last;) {
    {
      std::unique_lock lock(mutex);
      ready.wait(lock, [this] { return stopping || !texts.empty(); });
      batch.clear();
      batch.swap(texts);
      finished_texts = 0;
      last = stopping;
    }
    for (const std::string& text : batch) {
      const bool whole = write(text);
      const std::lock_guard lock(mutex);
      if (abandoned) return;
      ++finished_texts;
      ++progress;
      if (!whole) dropped += lines_in(text);
    }
  }
  {
    const std::lock_guard lock(mutex);
    finished = true;
  }
  done.notify_all();
}

bool LogWriter::State::left_behind() {
  const std::lock_guard lock(mutex);
  return abandoned;
}

// False: a closed pipe or a full disk, which must not stop the gateway; or nobody wants it any more.
bool LogWriter::State::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    if (written > 0 || errno == EINTR) {
      if (!text.empty() && left_behind()) return false;
      continue;
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
    // Somebody who shares the description made it non-blocking.
    pollfd wanted = {.fd = fd, .events = POLLOUT, .revents = 0};
    ::poll(&wanted, 1, 100);
    if (left_behind()) return false;
  }
  return true;
}

LogWriter::LogWriter(int fd, std::size_t most) : state_(std::make_shared<State>(fd, most)) {
  state_->thread = std::thread([state = state_] { state->run(); });
}

LogWriter::~LogWriter() { end(); }

void LogWriter::submit(std::string text) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->texts.size() >= state_->most || state_->stopping) {
      state_->dropped += lines_in(text);
      return;
    }
    state_->texts.push_back(std::move(text));
  }
  state_->ready.notify_one();  // without the lock, which the thread needs first of all
}

void LogWriter::drop(std::string_view text) {
  const std::lock_guard lock(state_->mutex);
  state_->dropped += lines_in(text);
}

std::uint64_t LogWriter::dropped_lines() const {
  const std::lock_guard lock(state_->mutex);
  return state_->dropped;
}

void LogWriter::end() {
  State& state = *state_;
  if (!state.thread.joinable()) return;
  std::unique_lock lock(state.mutex);
  state.stopping = true;
  state.ready.notify_one();
  std::uint64_t progress = state.progress;
  TimePoint moved = std::chrono::steady_clock::now();
  bool hurried = false;
  while (!state.done.wait_for(lock, kLook, [&state] { return state.finished; })) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (!hurried && g_due && g_due()) {
      hurried = true;
      moved = now;
    }
    if (!hurried && state.progress != progress) {
      progress = state.progress;
      moved = now;
    }
    if (hurried ? now - moved >= kLastMoment : !g_due && now - moved >= kPatience) break;
  }
  if (state.finished) {
    lock.unlock();
    state.thread.join();
    return;
  }
  state.abandoned = true;
  for (std::size_t i = state.finished_texts; i < state.batch.size(); ++i) state.dropped += lines_in(state.batch[i]);
  for (const std::string& text : state.texts) state.dropped += lines_in(text);
  state.texts.clear();
  state.thread.detach();
}

bool write_patiently(int fd, std::string_view text, Duration most) {
  const TimePoint end = std::chrono::steady_clock::now() + most;
  while (!text.empty()) {
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    pollfd wanted = {.fd = fd, .events = POLLOUT, .revents = 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    // A pipe that is ready takes this much without a wait.
    const ssize_t written = ::write(fd, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) return false;
  }
  return true;
}

}  // namespace akr
