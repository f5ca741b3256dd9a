// signal.hpp - something that happens once on another thread, and a coroutine that waits for it as long as its client
// stays.
#pragma once

#include <cstdint>
#include <memory>

#include "net/loop/socket.hpp"
#include "net/loop/task.hpp"
#include "net/loop/worker.hpp"

namespace akr::net {

enum class SignalEnd : std::uint8_t {
  kRaised,
  kClientGone,
  kCancelled,  // the connection is to end: shutdown
};

class Signal : public std::enable_shared_from_this<Signal> {
 public:
  // Make it with make_shared: whoever raises it may come after everybody has left.
  explicit Signal(Worker& worker) : worker_(worker) {}

  // Any thread, once.  REQUIRES: the worker exists.
  void raise();

  // On the worker, by one coroutine; nobody else waits on `client` meanwhile.
  Task<SignalEnd> wait(Socket& client);

 private:
  Worker& worker_;
  // Of the worker's thread alone.
  bool raised_ = false;
  Socket* waiting_on_ = nullptr;
};

}  // namespace akr::net
