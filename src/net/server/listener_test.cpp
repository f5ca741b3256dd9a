// A second gateway on the same port started silently and took half of the connections: SO_REUSEPORT, which our workers
// share a port with, lets any process of the same user in.  The kind: a resource believed to be exclusive that is not.
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/server/server.hpp"
#include "tests/support/tcp_server.hpp"

namespace akr::net {
namespace {

struct Listener {
  explicit Listener(const std::string& address, std::uint16_t port = 0, PortUse use = PortUse::kFirst)
      : number(port), opened(open_listener(address, number, use)) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    if (opened) ::close(*opened);
  }
  std::uint16_t number;
  Result<int> opened;
};

TEST(Listener, TheFirstIsRefusedWhereAnybodyListensAndTheErrorSaysWhatToDo) {
  for (const char* taken : {"127.0.0.1", "0.0.0.0", "::"}) {
    const Listener other(taken);
    const Listener worker(taken, other.number, PortUse::kShared);
    ASSERT_TRUE(worker.opened) << taken;
    for (const char* wanted : {"127.0.0.1", "0.0.0.0", "::"}) {
      const Listener first(wanted, other.number);
      ASSERT_FALSE(first.opened) << wanted << " while " << taken;
      EXPECT_EQ(first.opened.error().code, ErrorCode::kConflict);
      EXPECT_NE(first.opened.error().message.find("BACKEND_PORT " + std::to_string(other.number)), std::string::npos);
    }
  }
}

TEST(Listener, AStrangerWithReusePortIsFoundToo) {
  std::uint16_t port = 0;
  const Listener stranger("127.0.0.1", 0, PortUse::kShared);
  port = stranger.number;
  EXPECT_FALSE(Listener("127.0.0.1", port).opened);
}

TEST(Listener, TheWorkersOfOneGatewayShareThePort) {
  const Listener first("127.0.0.1");
  const Listener second("127.0.0.1", first.number, PortUse::kShared);
  ASSERT_TRUE(first.opened && second.opened);
  std::set<int> served;
  for (int i = 0; i < 200 && served.size() < 2; ++i) {
    const int client = test::connect_to_loopback(first.number);
    for (const int listener : {*first.opened, *second.opened}) {
      const int taken = ::accept(listener, nullptr, nullptr);
      if (taken >= 0) served.insert(listener), ::close(taken);
    }
    ::close(client);
  }
  EXPECT_EQ(served.size(), 2U);
}

TEST(Listener, ConnectionsThatAGoneGatewayLeftBehindAreNoObstacle) {
  std::uint16_t port = 0;
  int client = -1;
  int served = -1;
  {
    const Listener gone("127.0.0.1");
    port = gone.number;
    client = test::connect_to_loopback(port);
    while ((served = ::accept(*gone.opened, nullptr, nullptr)) < 0) {
    }
    ::close(served);  // first: TIME_WAIT is ours
  }
  EXPECT_TRUE(Listener("127.0.0.1", port).opened);
  ::close(client);
  EXPECT_TRUE(Listener("127.0.0.1", port).opened);
}

}  // namespace
}  // namespace akr::net
