// app.hpp - the composition root: builds everything in order, stops it in reverse.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "app/open_store.hpp"
#include "base/result.hpp"
#include "config/settings.hpp"

namespace akr {

class App {
 public:
  // Opens the store, publishes the services, starts the workers.  Blocking, for as long as a database server is awaited
  // unless `stop_within` ends that (kShuttingDown).  For the exit status of errors see exit_status.hpp.
  static Result<std::unique_ptr<App>> start(const Settings& settings, const StopWithin& stop_within);
  ~App();

  std::uint16_t port() const;

  // SIGTERM (D40): /readyz says 503 at once, the listener closes after SHUTDOWN_DELAY, running requests may take up to
  // SHUTDOWN_GRACE, then they are cut.  `hurry` is asked often; true ends it at once (a second signal).  Blocking.
  void drain(const std::function<bool()>& hurry);

 private:
  struct Parts;
  explicit App(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace akr
