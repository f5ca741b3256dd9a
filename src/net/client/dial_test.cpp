#include "net/client/dial.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include "tests/support/no_descriptors.hpp"
#include "tests/support/run_on_worker.hpp"
#include "tests/support/silent_port.hpp"
#include "tests/support/tcp_server.hpp"

namespace akr::net {
namespace {

using std::chrono::milliseconds;
using test::SilentPort;
using test::TcpServer;
using test::WorkerThread;
using Connected = Result<std::unique_ptr<Stream>>;

const AddressPolicy kAllowAll = [](std::span<const std::uint8_t>) { return true; };

SocketAddress v4(std::uint16_t port) { return *parse_address("127.0.0.1", port); }
SocketAddress v6(std::uint16_t port) { return *parse_address("::1", port); }

// A port that nobody listens on.
std::uint16_t closed_port() {
  std::uint16_t port = 0;
  ::close(test::listen_on_loopback(1, port));
  return port;
}

struct Dialled {
  std::string result;  // "port N" of the peer, or "code: message"
  milliseconds took{0};
};

Dialled dial_to(std::vector<SocketAddress> addresses, milliseconds limit = milliseconds(10'000)) {
  WorkerThread loop;
  const auto body = [&](Worker& worker) -> Task<Dialled> {
    const TimePoint start = std::chrono::steady_clock::now();
    DialTarget target{.addresses = addresses, .host = "a.test", .port = 1};
    const Connected stream = co_await dial(worker, kAllowAll, std::move(target), start + limit);
    Dialled dialled;
    dialled.took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
    if (!stream) {
      dialled.result = std::string(to_string(stream.error().code)) + ": " + stream.error().message;
      co_return dialled;
    }
    const int fd = (*stream)->socket().fd();
    sockaddr_in peer = {};
    socklen_t size = sizeof peer;
    ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size);
    int no_delay = 0;
    size = sizeof no_delay;
    ::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
    EXPECT_EQ(no_delay, 1);
    dialled.result = "port " + std::to_string(ntohs(peer.sin_port));
    co_return dialled;
  };
  return loop.run(body);
}

std::string port_text(const TcpServer& server) { return "port " + std::to_string(server.port()); }

TEST(Dial, ConnectsAndTheStreamWorks) {
  TcpServer server([](int fd) { test::send_all(fd, "hi"); });
  WorkerThread loop;
  const auto body = [&](Worker& worker) -> Task<std::string> {
    DialTarget target{.addresses = {v4(server.port())}, .host = "x", .port = 1};
    Connected stream = co_await dial(worker, kAllowAll, std::move(target), TimePoint::max());
    std::array<char, 8> chunk = {};
    const IoResult got = co_await read_some(**stream, chunk.data(), chunk.size(), TimePoint::max());
    co_return std::string(chunk.data(), got.bytes);
  };
  EXPECT_EQ(loop.run(body), "hi");
}

TEST(Dial, RefusedNamesHostAddressAndReason) {
  EXPECT_EQ(dial_to({v4(closed_port())}).result,
            "upstream_connect_failed: cannot connect to a.test:1: Connection refused (127.0.0.1)");
}

TEST(Dial, NextAddressAtOnceAfterAFailure) {
  TcpServer server([](int) {});
  const Dialled dialled = dial_to({v6(closed_port()), v4(closed_port()), v4(server.port())});
  EXPECT_EQ(dialled.result, port_text(server));
  EXPECT_LT(dialled.took.count(), 200);
}

TEST(Dial, SilentAddressTimesOut) {
  const SilentPort silent;
  const Dialled dialled = dial_to({v4(silent.port())}, milliseconds(80));
  EXPECT_EQ(dialled.result, "upstream_connect_timeout: no connection to a.test:1 within the connect timeout");
  EXPECT_GE(dialled.took.count(), 80);
}

TEST(Dial, SilentAddressGetsAHeadStartOnly) {
  const SilentPort silent;
  TcpServer server([](int) {});
  const Dialled dialled = dial_to({v4(silent.port()), v4(server.port())});
  EXPECT_EQ(dialled.result, port_text(server));
  EXPECT_GE(dialled.took.count(), 250);
  EXPECT_LT(dialled.took.count(), 1500);
}

// Two open attempts that never end must not keep the third address from its turn.
TEST(Dial, TwoSilentAddressesMakeRoom) {
  const SilentPort silent;
  TcpServer server([](int) {});
  const Dialled dialled = dial_to({v4(silent.port()), v4(silent.port()), v4(server.port())});
  EXPECT_EQ(dialled.result, port_text(server));
  EXPECT_LT(dialled.took.count(), 5000);
}

// The one place that connects asks the policy about each address, so that none gets past it however it was found.
TEST(Dial, ForbiddenAddressesAreNeverConnectedTo) {
  TcpServer server([](int) {});
  const AddressPolicy second_only = [](std::span<const std::uint8_t> address) { return address[3] == 2; };
  WorkerThread loop;
  const auto body = [&](Worker& worker) -> Task<std::string> {
    DialTarget target{.addresses = {v4(server.port())}, .host = "a.test", .port = 1};
    const Connected stream = co_await dial(worker, second_only, std::move(target), TimePoint::max());
    co_return stream ? "connected" : stream.error().message;
  };
  EXPECT_EQ(loop.run(body), "the address policy forbids 127.0.0.1, which is 'a.test'");
  EXPECT_EQ(server.connections(), 0);
}

TEST(Dial, FamiliesTakeTurns) {
  const std::vector<SocketAddress> turns = alternate_families({v6(1), v6(2), v6(3), v4(4), v4(5)});
  std::string order;
  for (const SocketAddress& address : turns) order += address.ipv6() ? '6' : '4';
  EXPECT_EQ(order, "64646");
  EXPECT_TRUE(alternate_families({}).empty());
}

TEST(Dial, StopEndsIt) {
  const SilentPort silent;
  std::string result;
  WorkerThread loop;
  const auto start = [&](Worker& worker) -> Task<void> {
    const auto dialling = [](Worker& w, std::uint16_t port, std::string& out) -> Task<void> {
      DialTarget target{.addresses = {v4(port)}, .host = "x", .port = 1};
      const Connected stream = co_await dial(w, kAllowAll, std::move(target), TimePoint::max());
      out = stream ? "connected" : to_string(stream.error().code);
    };
    worker.spawn(dialling(worker, silent.port(), result));
    co_return;
  };
  loop.run(start);
  loop.stop();
  EXPECT_EQ(result, "shutting_down");
}

// "Too many open files" was told as the upstream's refusal, and healthy URLs were ejected for it.  Stands for: our own
// shortage has a code of its own.
TEST(Dial, WantOfDescriptorsIsOurOwnFault) {
  TcpServer server([](int) {});
  WorkerThread loop;
  const test::NoDescriptors none;
  const auto body = [&](Worker& worker) -> Task<std::string> {
    DialTarget target = {.addresses = {v6(server.port()), v4(server.port())}, .host = "a.test", .port = 1};
    const Connected stream = co_await dial(worker, kAllowAll, std::move(target), TimePoint::max());
    co_return stream ? "connected" : std::string(to_string(stream.error().code));
  };
  EXPECT_EQ(loop.run(body), "overloaded");
}

TEST(Dial, WhatIsIdleIsGivenUpForADescriptor) {
  TcpServer server([](int) {});
  WorkerThread loop;
  const auto body = [&](Worker& worker) -> Task<std::string> {
    int idle = ::dup(0);
    const test::NoDescriptors none;
    worker.on_shortage([&idle] { return ::close(std::exchange(idle, -1)) == 0; });
    DialTarget target = {.addresses = {v4(server.port())}, .host = "a.test", .port = 1};
    const Connected stream = co_await dial(worker, kAllowAll, std::move(target), TimePoint::max());
    worker.on_shortage({});
    co_return stream ? "connected" : std::string(to_string(stream.error().code));
  };
  EXPECT_EQ(loop.run(body), "connected");
}

}  // namespace
}  // namespace akr::net
