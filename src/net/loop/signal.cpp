#include "net/loop/signal.hpp"

#include "net/loop/client_watch.hpp"

namespace akr::net {

void Signal::raise() {
  worker_.post([self = shared_from_this()] {
    self->raised_ = true;
    if (self->waiting_on_ != nullptr) self->waiting_on_->cancel();  // wakes, no more
  });
}

Task<SignalEnd> Signal::wait(Socket& client) {
  const auto self = shared_from_this();
  ClientWatch watch(client);
  WaitEnd end = WaitEnd::kReady;
  bool gone = watch.gone();
  waiting_on_ = &client;
  while (!raised_ && !gone && end != WaitEnd::kCancelled) {
    WaitAwaiter news(worker_, watch.watch(), {}, watch.until(TimePoint::max()));
    end = co_await news;
    gone = watch.gone();
  }
  waiting_on_ = nullptr;
  if (raised_) co_return SignalEnd::kRaised;
  co_return gone ? SignalEnd::kClientGone : SignalEnd::kCancelled;
}

}  // namespace akr::net
