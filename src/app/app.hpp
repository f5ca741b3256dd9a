// app.hpp - the composition root: builds everything in order, stops it in reverse.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.hpp"
#include "config/settings.hpp"

namespace akr {

// sysexits.h, and what the documentation promises.
inline constexpr int kExitStore = 73;   // the data directory or the database cannot be written
inline constexpr int kExitConfig = 78;  // a setting is wrong

class App {
 public:
  // Opens the store, publishes the services, starts the workers.  Blocking.  kStoreUnavailable -> exit 73, others
  // -> 78.
  static Result<std::unique_ptr<App>> start(const Settings& settings);
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
